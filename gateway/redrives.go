package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/causes"
	"github.com/headgate/headgate/gateway/delivery"
)

// Bounds of redrives.
const (
	maxRedrives    = 16  // under way at one time
	keptRedrives   = 100 // that ended and are still told of
	maxReasons     = 100 // of refusals that are told apart, and
	toldReasons    = 20  // that are told
	maxRefused     = letterPage
	redriveAnswer  = 5 * time.Second // the answer waits no longer for letters to start
	redriveSeconds = 10              // over which the rate is taken
)

// redrives are the jobs that send dead letters again. They live with the
// process: what became of a letter, the letters themselves tell.
type redrives struct {
	mu   sync.Mutex // guards what follows
	jobs []*redriveJob
	last int // the number of the last one
}

// redriveJob is one. It implements [dispatch.Progress].
type redriveJob struct {
	id        string
	selection catalog.Selection
	total     int
	startedAt time.Time
	stop      context.CancelFunc
	begun     chan struct{} // closed when no more letters are to be started

	mu                                  sync.Mutex // guards what follows
	started, delivered, failed, refused int
	stopped                             bool
	over                                bool // no more letters are started
	endedAt                             time.Time
	err                                 error
	reasons                             map[string]*catalog.Refusal
	some                                []catalog.RefusedLetter // the first of those refused
	finished                            [redriveSeconds + 1]second
}

// second counts what finished within one second.
type second struct {
	at int64
	n  int
}

// Started implements [dispatch.Progress].
func (j *redriveJob) Started(delivery.Ref) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.started++
}

// Refused implements [dispatch.Progress].
func (j *redriveJob) Refused(letter delivery.Ref, why error) {
	reason := why.Error()
	cause := causes.Fold(reason)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused++
	j.tick()
	if len(j.some) < maxRefused {
		j.some = append(j.some, catalog.RefusedLetter{ID: letter, Reason: reason})
	}
	if r := j.reasons[cause]; r != nil {
		r.Count++
	} else if len(j.reasons) < maxReasons {
		j.reasons[cause] = &catalog.Refusal{Reason: reason, Count: 1, Example: letter}
	}
}

// Done implements [dispatch.Progress].
func (j *redriveJob) Done(_ delivery.Ref, delivered bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if delivered {
		j.delivered++
	} else {
		j.failed++
	}
	j.tick()
	j.end()
}

// tick notes that a letter is done with.
func (j *redriveJob) tick() {
	now := time.Now().Unix()
	s := &j.finished[now%int64(len(j.finished))]
	if s.at != now {
		*s = second{at: now}
	}
	s.n++
}

// end notes when nothing is left to do.
func (j *redriveJob) end() {
	if j.over && j.started == j.delivered+j.failed && j.endedAt.IsZero() {
		j.endedAt = time.Now()
	}
}

// noMore notes that no more letters are started, and why if it is before all were.
func (j *redriveJob) noMore(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	if err != nil && !j.stopped {
		j.err = err
	}
	j.end()
	close(j.begun)
}

// look returns what is known of the job.
func (j *redriveJob) look() catalog.RedriveJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := catalog.RedriveJob{
		ID: j.id, Selection: j.selection, Total: j.total, Started: j.started,
		Delivered: j.delivered, Failed: j.failed, Refused: j.refused, Pending: j.started - j.delivered - j.failed,
		StartedAt: j.startedAt.UTC(), EndedAt: j.endedAt.UTC(), Rate: j.rate(time.Now()), Refusals: []catalog.Refusal{},
	}
	switch {
	case j.endedAt.IsZero() && j.stopped:
		out.State = catalog.RedriveStopping
	case j.endedAt.IsZero():
		out.State = catalog.RedriveRunning
	case j.stopped && j.started+j.refused < j.total || j.err != nil:
		out.State = catalog.RedriveStopped
	default:
		out.State = catalog.RedriveDone
	}
	if j.err != nil {
		out.Error = j.err.Error()
	}
	for _, r := range j.reasons {
		out.Refusals = append(out.Refusals, *r)
	}
	slices.SortFunc(out.Refusals, func(a, b catalog.Refusal) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), a.Example.Compare(b.Example))
	})
	out.Refusals = out.Refusals[:min(len(out.Refusals), toldReasons)]
	return out
}

// rate is how many letters a second are done with: lately, or over all at the end.
func (j *redriveJob) rate(now time.Time) float64 {
	all := j.delivered + j.failed + j.refused
	if !j.endedAt.IsZero() {
		return float64(all) / max(j.endedAt.Sub(j.startedAt).Seconds(), 0.001)
	}
	n := 0
	for _, s := range j.finished {
		if s.at < now.Unix() && s.at >= now.Unix()-redriveSeconds {
			n += s.n
		}
	}
	return float64(n) / min(max(now.Sub(j.startedAt).Seconds(), 1), redriveSeconds)
}

func (j *redriveJob) ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.endedAt.IsZero()
}

// busyError asks to come again later.
type busyError string

func (e busyError) Error() string             { return string(e) }
func (e busyError) RetryAfter() time.Duration { return 10 * time.Second }

// add makes room for a job, and gives it its id.
func (rs *redrives) add(j *redriveJob) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	running, ended := 0, 0
	for _, old := range rs.jobs {
		if old.ended() {
			ended++
		} else {
			running++
		}
	}
	if running >= maxRedrives {
		return busyError(fmt.Sprintf("%d redrives are under way; wait until one has ended, or stop one: DELETE /api/v1/redrives/ID", running))
	}
	rs.jobs = slices.DeleteFunc(rs.jobs, func(old *redriveJob) bool {
		if ended >= keptRedrives && old.ended() {
			ended--
			return true
		}
		return false
	})
	rs.last++
	j.id = fmt.Sprintf("r-%d", rs.last)
	rs.jobs = append(rs.jobs, j)
	return nil
}

// Redrive sends dead letters again, under the routes in force. Few are on their
// way when it returns; many follow in the background, as fast as their endpoint
// takes them.
func (g *Gateway) Redrive(ctx context.Context, s catalog.Selection) (catalog.Redriven, error) {
	out := catalog.Redriven{}
	refs, err := g.selected(ctx, s)
	if err != nil {
		return out, err
	}
	if len(refs) == 0 {
		if err := g.knows(s.Endpoint); err != nil {
			return out, err
		}
	}
	// The job outlives the request.
	running, stop := context.WithCancel(g.background)
	j := &redriveJob{
		selection: shown(s), total: len(refs), startedAt: time.Now(), stop: stop,
		begun: make(chan struct{}), reasons: map[string]*catalog.Refusal{},
	}
	if err := g.redrives.add(j); err != nil {
		stop()
		return out, err
	}
	g.wg.Go(func() {
		defer stop()
		err := g.dispatch.RedriveTelling(running, refs, j)
		j.noMore(err)
		done := j.look()
		g.log.Info("redrive: all letters are on their way that can be", "job", j.id, "asked", len(refs), "started", done.Started, "refused", done.Refused, "err", err)
	})
	if out.Redriving = len(refs); len(refs) <= letterPage {
		select {
		case <-j.begun:
			out.Redriving = j.look().Started
			j.mu.Lock()
			out.Refused = slices.Clone(j.some)
			j.mu.Unlock()
		case <-time.After(redriveAnswer):
		case <-ctx.Done():
		}
	}
	job := j.look()
	out.Job = &job
	return out, nil
}

// shown returns s as a job tells it: of many ids the first.
func shown(s catalog.Selection) catalog.Selection {
	s.IDs = slices.Clone(s.IDs[:min(len(s.IDs), toldReasons)])
	return s
}

// Redrives lists the jobs, the latest first; see [admin.RedriveJobs].
func (g *Gateway) Redrives() []catalog.RedriveJob {
	g.redrives.mu.Lock()
	jobs := slices.Clone(g.redrives.jobs)
	g.redrives.mu.Unlock()
	all := make([]catalog.RedriveJob, 0, len(jobs))
	for _, j := range slices.Backward(jobs) {
		all = append(all, j.look())
	}
	return all
}

// RedriveJob returns one; see [admin.RedriveJobs].
func (g *Gateway) RedriveJob(id string) (catalog.RedriveJob, error) {
	j, err := g.redrives.find(id)
	if err != nil {
		return catalog.RedriveJob{}, err
	}
	return j.look(), nil
}

// StopRedrive starts no more letters of a job; see [admin.RedriveJobs].
func (g *Gateway) StopRedrive(id string) (catalog.RedriveJob, error) {
	j, err := g.redrives.find(id)
	if err != nil {
		return catalog.RedriveJob{}, err
	}
	j.mu.Lock()
	if !j.over {
		j.stopped = true
	}
	j.mu.Unlock()
	j.stop()
	<-j.begun
	return j.look(), nil
}

func (rs *redrives) find(id string) (*redriveJob, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	i := slices.IndexFunc(rs.jobs, func(j *redriveJob) bool { return j.id == id })
	if i < 0 {
		return nil, &catalog.NotFoundError{Kind: "redrive", Name: id}
	}
	return rs.jobs[i], nil
}
