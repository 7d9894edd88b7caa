package journal

import "sync"

// recentChunks bounds the chunks that are remembered, and with them the memory:
// at most 8 MiB.
const recentChunks = 16

// recent remembers the chunks that were written last, so that readers that
// keep up cost neither a request to the server nor a read of the disk.
type recent struct {
	mu     sync.RWMutex // guards what follows
	seqs   [recentChunks]uint64
	chunks [recentChunks][]byte
}

// put remembers the chunk seq; nobody modifies b any more.
func (r *recent) put(seq uint64, b []byte) {
	if len(b) > maxChunkBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seqs[seq%recentChunks], r.chunks[seq%recentChunks] = seq, b
}

// get returns the chunk seq, nil if it is forgotten.
func (r *recent) get(seq uint64) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.seqs[seq%recentChunks] != seq {
		return nil
	}
	return r.chunks[seq%recentChunks]
}
