package plugin

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

const wasiModule = "wasi_snapshot_preview1"

// Numbers of WASI's errors.
const (
	wasiOK     = 0
	wasiBadF   = 8
	wasiFault  = 21
	wasiInval  = 28
	wasiNoSys  = 52
	wasiDevice = 2 // file type: character device
)

// wasi is all of WASI preview 1, for language runtimes that need it to start.
// There are the standard streams, a clock and a source of random numbers, and
// nothing else: every other file descriptor is bad.
var wasi = map[string]hostFunc{
	"args_get":          {"ii>i", answer(wasiOK)},
	"args_sizes_get":    {"ii>i", wasiNone},
	"environ_get":       {"ii>i", answer(wasiOK)},
	"environ_sizes_get": {"ii>i", wasiNone},

	"clock_res_get":  {"ii>i", wasiClockRes},
	"clock_time_get": {"ili>i", wasiClockTime},
	"poll_oneoff":    {"iiii>i", wasiPoll},
	"random_get":     {"ii>i", wasiRandom},
	"sched_yield":    {">i", answer(wasiOK)},
	"proc_exit":      {"i>", func(_ *instance, _ api.Module, s []uint64) { panic(sys.NewExitError(uint32(s[0]))) }},
	"proc_raise":     {"i>i", answer(wasiNoSys)},

	"fd_write":      {"iiii>i", wasiWrite},
	"fd_read":       {"iiii>i", wasiRead},
	"fd_fdstat_get": {"ii>i", wasiFdstat},

	"fd_advise":             {"illi>i", answer(wasiBadF)},
	"fd_allocate":           {"ill>i", answer(wasiBadF)},
	"fd_close":              {"i>i", answer(wasiBadF)},
	"fd_datasync":           {"i>i", answer(wasiBadF)},
	"fd_fdstat_set_flags":   {"ii>i", answer(wasiBadF)},
	"fd_fdstat_set_rights":  {"ill>i", answer(wasiBadF)},
	"fd_filestat_get":       {"ii>i", answer(wasiBadF)},
	"fd_filestat_set_size":  {"il>i", answer(wasiBadF)},
	"fd_filestat_set_times": {"illi>i", answer(wasiBadF)},
	"fd_pread":              {"iiili>i", answer(wasiBadF)},
	"fd_prestat_get":        {"ii>i", answer(wasiBadF)},
	"fd_prestat_dir_name":   {"iii>i", answer(wasiBadF)},
	"fd_pwrite":             {"iiili>i", answer(wasiBadF)},
	"fd_readdir":            {"iiili>i", answer(wasiBadF)},
	"fd_renumber":           {"ii>i", answer(wasiBadF)},
	"fd_seek":               {"ilii>i", answer(wasiBadF)},
	"fd_sync":               {"i>i", answer(wasiBadF)},
	"fd_tell":               {"ii>i", answer(wasiBadF)},

	"path_create_directory":   {"iii>i", answer(wasiBadF)},
	"path_filestat_get":       {"iiiii>i", answer(wasiBadF)},
	"path_filestat_set_times": {"iiiilli>i", answer(wasiBadF)},
	"path_link":               {"iiiiiii>i", answer(wasiBadF)},
	"path_open":               {"iiiiillii>i", answer(wasiBadF)},
	"path_readlink":           {"iiiiii>i", answer(wasiBadF)},
	"path_remove_directory":   {"iii>i", answer(wasiBadF)},
	"path_rename":             {"iiiiii>i", answer(wasiBadF)},
	"path_symlink":            {"iiiii>i", answer(wasiBadF)},
	"path_unlink_file":        {"iii>i", answer(wasiBadF)},

	"sock_accept":   {"iii>i", answer(wasiBadF)},
	"sock_recv":     {"iiiiii>i", answer(wasiBadF)},
	"sock_send":     {"iiiii>i", answer(wasiBadF)},
	"sock_shutdown": {"ii>i", answer(wasiBadF)},
}

// answer is a function that always gives this error.
func answer(errno uint64) func(*instance, api.Module, []uint64) {
	return func(_ *instance, _ api.Module, s []uint64) { s[0] = errno }
}

// wasiNone says that there are none, in 0 bytes.
func wasiNone(_ *instance, guest api.Module, s []uint64) {
	m := guest.Memory()
	s[0] = errno(m.WriteUint32Le(uint32(s[0]), 0) && m.WriteUint32Le(uint32(s[1]), 0))
}

func errno(ok bool) uint64 {
	if ok {
		return wasiOK
	}
	return wasiFault
}

func wasiClockRes(_ *instance, guest api.Module, s []uint64) {
	s[0] = errno(guest.Memory().WriteUint64Le(uint32(s[1]), uint64(tick)))
}

func wasiClockTime(i *instance, guest api.Module, s []uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(i.world.time(i, uint32(s[0]) == 0)))
	i.tape.data(b[:])
	s[0] = errno(guest.Memory().Write(uint32(s[2]), b[:]))
}

func wasiRandom(i *instance, guest api.Module, s []uint64) {
	b, ok := guest.Memory().Read(uint32(s[0]), uint32(s[1]))
	if ok {
		i.burn(int64(len(b)))
		i.world.read(i, b)
		i.tape.data(b)
	}
	s[0] = errno(ok)
}

// wasiWrite is fd_write(fd, iovs, count, written).
func wasiWrite(i *instance, guest api.Module, s []uint64) {
	var to *stream
	switch uint32(s[0]) {
	case 1:
		to = &i.logs.stdout
	case 2:
		to = &i.logs.stderr
	default:
		s[0] = wasiBadF
		return
	}
	m, written := guest.Memory(), uint32(0)
	at, count := uint32(s[1]), uint32(s[2])
	for range count {
		i.burn(1)
		ptr, ok1 := m.ReadUint32Le(at)
		n, ok2 := m.ReadUint32Le(at + 4)
		b, ok3 := m.Read(ptr, n)
		if !ok1 || !ok2 || !ok3 {
			s[0] = wasiFault
			return
		}
		i.burn(int64(n))
		i.tape.data(b)
		_, _ = to.Write(b)
		written += n
		at += 8
	}
	s[0] = errno(m.WriteUint32Le(uint32(s[3]), written))
}

// wasiRead is fd_read(fd, iovs, count, read): standard input is empty.
func wasiRead(_ *instance, guest api.Module, s []uint64) {
	if uint32(s[0]) != 0 {
		s[0] = wasiBadF
		return
	}
	s[0] = errno(guest.Memory().WriteUint32Le(uint32(s[3]), 0))
}

func wasiFdstat(_ *instance, guest api.Module, s []uint64) {
	if uint32(s[0]) > 2 {
		s[0] = wasiBadF
		return
	}
	var b [24]byte
	b[0] = wasiDevice
	binary.LittleEndian.PutUint64(b[8:], 1<<1|1<<6) // rights to read and write
	s[0] = errno(guest.Memory().Write(uint32(s[1]), b[:]))
}

// wasiPoll is poll_oneoff(in, out, count, ready). A wait for a clock is over at
// once, and the clock has moved on; anything else is a bad descriptor.
func wasiPoll(i *instance, guest api.Module, s []uint64) {
	const subscription, report = 48, 32
	m := guest.Memory()
	in, out, count := uint32(s[0]), uint32(s[1]), uint32(s[2])
	if count == 0 {
		s[0] = wasiInval
		return
	}
	for range count {
		i.burn(hostedFuel)
		sub, ok := m.Read(in, subscription)
		if !ok {
			s[0] = wasiFault
			return
		}
		var b [report]byte
		copy(b[:8], sub) // the guest's own number of it
		b[10] = sub[8]
		if sub[8] == 0 {
			i.world.wait(i, binary.LittleEndian.Uint32(sub[16:]) == 0,
				int64(binary.LittleEndian.Uint64(sub[24:])), sub[40]&1 != 0)
		} else {
			b[8] = wasiBadF
		}
		if !m.Write(out, b[:]) {
			s[0] = wasiFault
			return
		}
		in, out = in+subscription, out+report
	}
	s[0] = errno(m.WriteUint32Le(uint32(s[3]), count))
}
