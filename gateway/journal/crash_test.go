package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// killDir is set for the process that is to be killed.
const killDir = "HEADGATE_TEST_KILL_DIR"

// TestKill kills a process that writes to a journal, many times over one
// directory, and holds what is found against the ledger of what the process
// was told:
//
//  1. every event that Append acknowledged lies at the position it named;
//  2. the events of one caller are in the order in which it sent them;
//  3. every entry put and not asked to be removed is in its spool, whole;
//  4. no entry whose removal was acknowledged is;
//  5. marks are those saved last, or those asked to be saved after;
//  6. the journal is consistent, and takes more.
//
// HEADGATE_TEST_KILL_ROUNDS sets how often, instead of for about 15 seconds.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it takes 15 seconds")
	}
	rounds, deadline := 1000, time.Now().Add(15*time.Second)
	if s := os.Getenv("HEADGATE_TEST_KILL_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rounds, deadline = n, time.Now().Add(24*time.Hour)
	}
	l := &ledger{dir: t.TempDir(), first: map[event.Position]string{}, acked: map[string]bool{}, put: map[string]int{}, removed: map[string]bool{}, asked: map[string]bool{}}
	round := 0
	for ; round < rounds && time.Now().Before(deadline) && !t.Failed(); round++ {
		l.run(t, time.Duration(rand.Int64N(int64(300*time.Millisecond))))
		l.verify(t)
	}
	l.checked = 0
	l.verify(t) // once more, from the beginning
	t.Logf("%d kills, %d acknowledged events, %d entries put, %d removed, marks at %d", round, len(l.acked), len(l.put), len(l.removed), l.saved)
}

// ledger is what a process that was killed had been told.
type ledger struct {
	dir     string
	round   int
	first   map[event.Position]string // where the first event of an Append is
	acked   map[string]bool           // all of them
	put     map[string]int            // "stream ref" → number of the letter
	removed map[string]bool
	asked   map[string]bool // to be removed
	saved   uint64          // the mark acknowledged last
	wanted  uint64          // the mark asked for last
	checked uint64          // chunks that earlier rounds have seen whole
}

// run starts a process and kills it after a while of work.
func (l *ledger) run(t *testing.T, after time.Duration) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	l.round++
	cmd.Env = append(os.Environ(), killDir+"="+l.dir, "HEADGATE_TEST_KILL_ROUND="+strconv.Itoa(l.round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewReader(out)
	opened := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		if line == "open\n" {
			opened = true
			timer.Reset(after)
			continue
		}
		l.enter(t, strings.Fields(line))
	}
	cmd.Wait() // it was killed
	if !opened {
		t.Fatal("the process never opened the journal")
	}
}

func (l *ledger) enter(t *testing.T, f []string) {
	switch {
	case len(f) == 5 && f[0] == "events":
		p, err := event.ParsePosition(f[1])
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(f[3])
		count, _ := strconv.Atoi(f[4])
		l.first[p] = f[2] + "/" + f[3]
		for i := range count {
			l.acked[fmt.Sprintf("%s/%d", f[2], n+i)] = true
		}
	case len(f) == 4 && f[0] == "put":
		n, _ := strconv.Atoi(f[3])
		l.put[f[1]+" "+f[2]] = n
	case len(f) == 3 && f[0] == "ask":
		l.asked[f[1]+" "+f[2]] = true
	case len(f) == 3 && f[0] == "removed":
		l.removed[f[1]+" "+f[2]] = true
	case len(f) == 2 && f[0] == "want":
		l.wanted, _ = strconv.ParseUint(f[1], 10, 64)
	case len(f) == 2 && f[0] == "saved":
		l.saved, _ = strconv.ParseUint(f[1], 10, 64)
	default:
		t.Fatalf("the process says %q", f)
	}
}

// verify opens the journal and holds it against the ledger.
func (l *ledger) verify(t *testing.T) {
	j, err := journal.Open(t.Context(), l.dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, j)
	latest := map[string]int{}
	unseen := 0
	for id := range l.acked {
		if l.checked == 0 || strings.HasPrefix(id, strconv.Itoa(l.round)+".") {
			unseen++
		}
	}
	for _, c := range readUntil(t, j, l.checked+1, j.Last()) {
		for i, e := range c.Events {
			p := event.Position{Seq: c.Seq, Index: i}
			if id, ok := l.first[p]; ok && id != e.ID {
				t.Errorf("at %v is %s, acknowledged was %s", p, e.ID, id)
			}
			if l.acked[e.ID] {
				unseen--
			}
			caller, number, _ := strings.Cut(e.ID, "/")
			n, _ := strconv.Atoi(number)
			if n <= latest[caller] {
				t.Errorf("at %v is %s, after number %d", p, e.ID, latest[caller])
			}
			latest[caller] = n
		}
	}
	if unseen != 0 {
		t.Errorf("%d acknowledged events are lost, or there twice", unseen)
	}
	l.checked = j.Last()
	for name, s := range map[string]*journal.Spool{"retries": j.Retries(), "dead": j.DeadLetters()} {
		l.verifySpool(t, name, s)
	}
	marks, err := j.LoadMarks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l.saved > 0 && (len(marks) != 1 || marks[0].Low < l.saved || marks[0].Low > l.wanted) {
		t.Errorf("marks are %v, want %d to %d", marks, l.saved, l.wanted)
	}
}

func (l *ledger) verifySpool(t *testing.T, name string, s *journal.Spool) {
	found := map[string]bool{}
	var strays []delivery.Ref
	for k, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		key := name + " " + k.Ref.String()
		found[key] = true
		n, known := l.put[key]
		if !known {
			strays = append(strays, k.Ref) // durable, not acknowledged
		} else if want := letter(n, "hub"); k.Delivery.Event.ID != want.Delivery.Event.ID || k.Reason != want.Reason {
			t.Errorf("%s is letter %s, want %s", key, k.Delivery.Event.ID, want.Delivery.Event.ID)
		}
		if l.removed[key] {
			t.Errorf("%s was removed and is there", key)
		}
	}
	for key := range l.put {
		if strings.HasPrefix(key, name+" ") && !found[key] {
			if !l.asked[key] {
				t.Errorf("%s was put and is gone", key)
			}
			delete(l.put, key)
		}
	}
	if err := s.Remove(t.Context(), strays); err != nil {
		t.Fatal(err)
	}
}

// writeUntilKilled writes to the journal in dir from many goroutines, and says
// what it was told.
func writeUntilKilled(t *testing.T, dir string) {
	ctx := context.Background()
	j, err := journal.Open(ctx, dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	say := func(format string, args ...any) { os.Stdout.WriteString(fmt.Sprintf(format+"\n", args...)) }
	say("open")
	round := os.Getenv("HEADGATE_TEST_KILL_ROUND")
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for n := 1; ; n++ {
				events := numbered(0, 1+(n*w)%70, 100)
				for i := range events {
					events[i].ID = fmt.Sprintf("%s.%d/%d", round, w, n*100+i)
				}
				p, err := j.Append(ctx, events)
				if err != nil {
					t.Error(err)
					return
				}
				say("events %s %s.%d %d %d", p, round, w, n*100, len(events))
			}
		})
	}
	for name, s := range map[string]*journal.Spool{"retries": j.Retries(), "dead": j.DeadLetters()} {
		for w := range 2 {
			wg.Go(func() { putUntilKilled(t, name, s, w, say) })
		}
	}
	wg.Go(func() {
		for {
			low := j.Last() + 1
			say("want %d", low)
			if err := j.SaveMarks(ctx, []delivery.Mark{{Endpoint: "hub", Low: low}}); err != nil {
				t.Error(err)
				return
			}
			say("saved %d", low)
		}
	})
	wg.Wait()
}

var letterNumbers atomic.Int64

func putUntilKilled(t *testing.T, name string, s *journal.Spool, w int, say func(string, ...any)) {
	for round := 0; ; round++ {
		n := int(letterNumbers.Add(20))
		entries := letters(n, 1+(round*3+w)%20, "hub")
		refs, err := s.Put(context.Background(), entries)
		if err != nil {
			t.Error(err)
			return
		}
		for i, ref := range refs {
			say("put %s %s %d", name, ref, n+i)
		}
		gone := refs
		if round%10 == 0 {
			gone = refs[:len(refs)-1]
		}
		for _, ref := range gone {
			say("ask %s %s", name, ref)
		}
		if err := s.Remove(context.Background(), gone); err != nil {
			t.Error(err)
			return
		}
		for _, ref := range gone {
			say("removed %s %s", name, ref)
		}
	}
}
