package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/manifest"
)

const planHelp = `Show what "headgate apply" would change, and what that would mean for the latest events:
they run through the routes as they are and as they would be, on instances of their
own; nothing is stored and nothing is delivered.

Files hold documents in YAML or JSON, any number to a file; of a directory all files
*.yaml, *.yml and *.json are read. "headgate schema" prints what a document may hold, for
editors, and "headgate export" writes what a server has.

Exit status: 0 nothing would change; 2 something would. All else is 1, 3 or 4 as
of every command; a wrong command line is 1 here.`

const planExample = `  headgate plan -f routes/
  headgate plan -f routes/ --prune --events 10000
  headgate export | headgate plan -f -`

// annotationDifference marks a command whose exit status 2 says that there is a
// difference, so that a wrong command line must not.
const annotationDifference = "difference"

// errDifference ends a plan that found one. It was shown.
var errDifference = errors.New("there is a difference")

func planCommand(a *app) *cobra.Command {
	var (
		files   fileFlags
		events  int
		connect connection
	)
	cmd := &cobra.Command{
		Use: "plan -f FILE|DIRECTORY", Short: "Show what apply would change, and what for the latest events",
		Long: planHelp, Example: planExample, Args: wants(0, 0, "no arguments; give files with -f"),
		Annotations: map[string]string{annotationDifference: "2"},
	}
	files.flags(cmd.Flags())
	cmd.Flags().IntVar(&events, "events", catalog.DefaultPlanEvents, "how many of the latest events to try it on, `N` up to "+strconv.Itoa(catalog.MaxPlanEvents)+"; 0 is none")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if events < 0 || events > catalog.MaxPlanEvents {
			return usageError(fmt.Sprintf("--events %d: want 0 to %d", events, catalog.MaxPlanEvents))
		}
		d, err := a.desired(cmd.Context(), files, connect)
		if err != nil {
			return err
		}
		d.change.Events = &events
		planned, err := d.plan(cmd.Context())
		if err != nil {
			return err
		}
		if connect.json {
			if err := printJSON(a.out, planned); err != nil {
				return err
			}
		} else {
			a.printPlan(planned)
		}
		if planned.Changed() {
			return errDifference
		}
		return nil
	}
	return cmd
}

// fileFlags name files of documents.
type fileFlags struct {
	paths []string
	prune bool
}

func (f *fileFlags) flags(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.paths, "file", "f", nil, "`FILE` or directory of documents; - is standard input; may be repeated")
	flags.BoolVar(&f.prune, "prune", false, "remove what no document names, but plugins that are in use or that the server brings along")
}

const applyHelp = `Make the server what files say: all of it, or nothing when anything is wrong. What is so
already keeps its revision, so that applying twice changes nothing.

Files are as of "headgate plan", which shows what would change. Nothing is asked: plan
first where a person is to look at it. A change that somebody makes in between is
noticed; it is applied only if that does not alter what is to be done.`

const applyExample = `  headgate apply -f routes/
  headgate apply -f routes/ --prune
  HUB_KEY=… headgate apply -f endpoints.yaml -f routes/`

func applyCommand(a *app) *cobra.Command {
	var (
		files   fileFlags
		connect connection
	)
	cmd := &cobra.Command{
		Use: "apply -f FILE|DIRECTORY", Short: "Make endpoints, routes, sources and plugins what files say",
		Long: applyHelp, Example: applyExample, Args: wants(0, 0, "no arguments; give files with -f"),
	}
	files.flags(cmd.Flags())
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, err := a.desired(cmd.Context(), files, connect)
		if err != nil {
			return err
		}
		applied, err := d.apply(cmd.Context())
		if err != nil {
			return err
		}
		if connect.json {
			return printJSON(a.out, applied)
		}
		a.printApplied(applied)
		return nil
	}
	return cmd
}

// desired is what files say, on its way to a server.
type desired struct {
	client *client.Client
	set    *manifest.Set
	change client.Change
}

// desired reads the files, and the modules that the server has not got.
func (a *app) desired(ctx context.Context, files fileFlags, connect connection) (*desired, error) {
	if len(files.paths) == 0 {
		return nil, usageError("name the files with -f")
	}
	set, err := manifest.Read(files.paths, manifest.Options{Stdin: a.in, Env: a.env})
	if err != nil {
		return nil, err
	}
	c, err := connect.client(a)
	if err != nil {
		return nil, err
	}
	d := &desired{client: c, set: set, change: client.Change{Prune: files.prune, Modules: map[string][]byte{}}}
	var errs manifest.Errors
	for i := range set.Documents {
		doc := &set.Documents[i]
		d.change.Documents = append(d.change.Documents, doc.JSON)
		if doc.Plugin == nil {
			continue
		}
		err := d.addModule(ctx, doc)
		if fault := (*manifest.Error)(nil); errors.As(err, &fault) {
			errs = append(errs, fault)
		} else if err != nil {
			return nil, err
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return d, nil
}

// addModule sends a plugin's module along, unless the server has it. A file that
// is there has to be the one that the document means in any case.
func (d *desired) addModule(ctx context.Context, doc *manifest.Document) error {
	p, err := d.client.Plugin(ctx, doc.Name)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return fmt.Errorf("plugin %s: %w", doc.Name, err)
	}
	stored := slices.ContainsFunc(p.Versions, func(v catalog.Version) bool { return v.Digest == doc.Plugin.Digest() })
	if doc.Module == "" {
		if stored {
			return nil
		}
		return doc.Fault("spec.file", "is required: the server has no version with this SHA-256, so name the file of the module")
	}
	if _, err := os.Stat(doc.Module); stored && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	module, err := doc.ReadModule()
	if err != nil {
		return err
	}
	if !stored {
		d.change.Modules[doc.Plugin.Digest()] = module
	}
	return nil
}

func (d *desired) plan(ctx context.Context) (catalog.Planned, error) {
	planned, err := d.client.Plan(ctx, d.change)
	if err != nil {
		return planned, d.explain("plan", err)
	}
	return d.redacted(planned), nil
}

// maxTries is how often an apply that others race is tried.
const maxTries = 5

// apply applies what a plan found, at the revision that it found it at.
func (d *desired) apply(ctx context.Context) (catalog.Planned, error) {
	none := 0
	d.change.Events = &none
	planned, err := d.plan(ctx)
	for try := 1; err == nil && planned.Changed(); try++ {
		d.change.Revision = &planned.Revision
		applied, failed := d.client.Apply(ctx, d.change)
		if failed == nil {
			return d.redacted(applied), nil
		}
		if !errors.Is(failed, catalog.ErrConflict) {
			return applied, d.explain("apply", failed)
		}
		if try == maxTries {
			return applied, fmt.Errorf("apply: others keep changing the server: each of %d tries came too late, and nothing was changed; apply again: %w", maxTries, failed)
		}
		if err := pause(ctx, try); err != nil {
			return applied, fmt.Errorf("apply: %w", err)
		}
		d.change.Revision = nil
		again, err := d.plan(ctx)
		if err != nil {
			return again, err
		}
		if !reflect.DeepEqual(again.Changes, planned.Changes) {
			return again, fmt.Errorf("apply: somebody changed the server meanwhile, so that other things would have to be done than were planned: "+
				"nothing was changed; look at it with \"headgate plan\" and apply again: %w", failed)
		}
		planned = again
	}
	return planned, err
}

// pause waits a short while of random length, so that those who race part: longer
// after each try.
func pause(ctx context.Context, try int) error {
	timer := time.NewTimer(rand.N(time.Duration(try) * 50 * time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// explain puts what the server refused at its places in the files, in their
// order.
func (d *desired) explain(doing string, err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	faults := p.Errors
	if len(faults) == 0 && p.Field != "" {
		faults = []client.Fault{{Field: p.Field, Detail: strings.TrimPrefix(p.Detail, p.Field+": ")}}
	}
	slices.SortStableFunc(faults, func(a, b client.Fault) int { return d.at(a).compare(d.at(b)) })
	var lines []string
	for _, f := range faults {
		lines = append(lines, d.fault(f))
	}
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("%s: %s", doing, d.set.Redact(p.Error()))}
	}
	return &refused{p, strings.Join(lines, "\n")}
}

// spot is where a fault is, for those of one answer to be put in order.
type spot struct{ document, line, column int }

func (s spot) compare(t spot) int {
	return cmp.Or(cmp.Compare(s.document, t.document), cmp.Compare(s.line, t.line), cmp.Compare(s.column, t.column))
}

// at is where a fault is; what is about no document comes last. Documents are in
// the order of their files.
func (d *desired) at(f client.Fault) spot {
	i, field := d.document(f)
	if i < 0 {
		return spot{document: len(d.set.Documents)}
	}
	at := d.set.Documents[i].Fault(field, "")
	return spot{i, at.Line, at.Column}
}

// document returns which document f is about, and the path in it; -1 when it is
// about none.
func (d *desired) document(f client.Fault) (i int, field string) {
	digits, rest, ok := strings.Cut(strings.TrimPrefix(f.Field, "documents["), "]")
	i, err := strconv.Atoi(digits)
	if !ok || err != nil || i < 0 || i >= len(d.set.Documents) {
		return -1, f.Field
	}
	return i, strings.TrimPrefix(rest, ".")
}

func (d *desired) fault(f client.Fault) string {
	i, field := d.document(f)
	switch {
	case i >= 0:
		fault := d.set.Documents[i].Fault(field, f.Detail)
		fault.Reason = d.set.Redact(fault.Reason)
		return fault.Error()
	case field == "":
		return d.set.Redact(f.Detail)
	}
	return field + ": " + d.set.Redact(f.Detail)
}

// refused is what the server refused, in words of its own.
type refused struct {
	problem *client.Problem
	text    string
}

func (r *refused) Error() string { return r.text }
func (r *refused) Unwrap() error { return r.problem }

// redacted is p with references in place of what they stand for.
func (d *desired) redacted(p catalog.Planned) catalog.Planned {
	documents := map[[2]string]*manifest.Document{}
	for i := range d.set.Documents {
		doc := &d.set.Documents[i]
		documents[[2]string{doc.Kind, doc.Name}] = doc
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		doc := documents[[2]string{c.Kind, c.Name}]
		for k := range c.Diff {
			diff := &c.Diff[k]
			diff.Before, diff.After = d.redactJSON(diff.Before), d.redactJSON(diff.After)
			if doc == nil || diff.After == nil {
				continue
			}
			if template, ok := doc.Template(diff.Path); ok {
				diff.After = mustJSON(template)
			}
		}
	}
	if p.Traffic == nil {
		return p
	}
	for i := range p.Traffic.Routes {
		r := &p.Traffic.Routes[i]
		r.Error = d.set.Redact(r.Error)
		for k := range r.Examples {
			e := &r.Examples[k]
			for n := range e.Diff {
				e.Diff[n].Before, e.Diff[n].After = d.redactJSON(e.Diff[n].Before), d.redactJSON(e.Diff[n].After)
			}
			for _, res := range []*catalog.TestResult{e.Before, e.After} {
				if res == nil {
					continue
				}
				res.Why, res.Error = d.set.Redact(res.Why), d.set.Redact(res.Error)
				for n := range res.Outputs {
					out := &res.Outputs[n].Event
					out.Data = []byte(d.set.Redact(string(out.Data)))
				}
			}
		}
	}
	return p
}

// redactJSON redacts the texts in a JSON value.
func (d *desired) redactJSON(v json.RawMessage) json.RawMessage {
	var s string
	if json.Unmarshal(v, &s) == nil {
		if clean := d.set.Redact(s); clean != s {
			return mustJSON(clean)
		}
		return v
	}
	if clean := d.set.Redact(string(v)); json.Valid([]byte(clean)) {
		return json.RawMessage(clean)
	}
	return v
}

// mustJSON writes a text, which always can be.
func mustJSON(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return b
}
