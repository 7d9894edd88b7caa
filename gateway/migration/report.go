package migration

import (
	"fmt"
	"strings"
)

// Report is what is left to do after an import, and what to know of it.
type Report struct {
	Endpoints, Routes int // that were imported

	Secrets    []Secret
	Identities []Identity
	Missing    []string // endpoints that routes name and no file has
	Notes      []Note
	Left       []Note // what was not imported, and why
}

// Secret is what a document refers to by a variable of the environment.
type Secret struct {
	Variable string
	Endpoint string // as Azure calls it
	Azure    string // the property that is the secret
	Hint     string // what it is
	Command  string // prints it
	Prefix   string // stands before what the command prints
	Shown    bool   // whether the file that was imported holds it
}

// Identity is a role that the identity of the gateway's process needs.
type Identity struct {
	Endpoint, Role, On string
	UserAssigned       string // the identity that Azure uses
}

// Note is something to know of what stands at a place.
type Note struct {
	Place Place
	Text  string
}

func (r *Report) note(at Place, format string, args ...any) {
	r.Notes = append(r.Notes, Note{at, fmt.Sprintf(format, args...)})
}

func (r *Report) leave(at Place, format string, args ...any) {
	r.Left = append(r.Left, Note{at, fmt.Sprintf(format, args...)})
}

func (r *Report) missing(endpoint string) { r.Missing = appendNew(r.Missing, endpoint) }

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Imported %s and %s.\n", count(r.Endpoints, "endpoint"), count(r.Routes, "route"))
	if len(r.Secrets) > 0 {
		b.WriteString("\nSecrets, which Azure does not show: set these variables before anything reads the files.\nWords in capitals are for you to fill in.\n")
		for _, s := range r.Secrets {
			fmt.Fprintf(&b, "\n  %s\n    %s of endpoint %s at Azure: %s\n", s.Variable, s.Azure, clean(s.Endpoint), clean(s.Hint))
			fmt.Fprintf(&b, "    export %s=\"%s$(%s)\"\n", s.Variable, s.Prefix, s.Command)
			if s.Shown {
				b.WriteString("    the imported file holds it: keep that file out of Git\n")
			}
		}
	}
	if len(r.Identities) > 0 {
		b.WriteString("\nIdentities: the gateway's process signs in by azidentity (environment, workload identity, managed identity,\nAzure CLI) and needs these roles.\n\n")
		var assigned []string
		for _, i := range r.Identities {
			fmt.Fprintf(&b, "  %s: %s on %s\n", clean(i.Endpoint), i.Role, clean(i.On))
			if i.UserAssigned != "" {
				assigned = appendNew(assigned, i.UserAssigned)
			}
		}
		for _, id := range assigned {
			fmt.Fprintf(&b, "\n  Azure uses the identity %s.\n  For the same, set AZURE_CLIENT_ID to its client id where the gateway runs.\n", clean(id))
		}
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "\nNo endpoints were among the files. The routes need these to be there: %s.\n", clean(strings.Join(r.Missing, ", ")))
	}
	writeNotes(&b, "\nTo know:\n\n", r.Notes)
	writeNotes(&b, "\nNot imported:\n\n", r.Left)
	return b.String()
}

func writeNotes(b *strings.Builder, title string, notes []Note) {
	if len(notes) > 0 {
		b.WriteString(title)
	}
	for _, n := range notes {
		fmt.Fprintf(b, "  %s: %s\n", n.Place, clean(n.Text))
	}
}

// clean keeps what a file says from steering a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func fill(command string, args ...any) string { return fmt.Sprintf(command, args...) }
