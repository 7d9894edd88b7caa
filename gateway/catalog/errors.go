package catalog

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinels that the errors of this package and of the store answer to.
var (
	// ErrNotFound is answered by a [*NotFoundError].
	ErrNotFound = errors.New("not found")
	// ErrConflict is answered by a [*ConflictError]: a precondition failed.
	ErrConflict = errors.New("precondition failed")
	// ErrInUse is answered by an [*InUseError]: what is used stays.
	ErrInUse = errors.New("in use")
)

// FieldError says what is wrong with a value from outside, and where.
type FieldError struct {
	Field  string // the path of the member, such as "delivery.maxAge"; empty for the whole
	Reason string // what is wrong, in words that say what to do
}

// Error returns the path and the reason.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// In returns the error as seen from one level further out: field is put in
// front of the path of every [*FieldError]; another error becomes one.
func In(field string, err error) error {
	if err == nil {
		return nil
	}
	var several FieldErrors
	if errors.As(err, &several) {
		out := make(FieldErrors, len(several))
		for i, one := range several {
			out[i] = &FieldError{Field: join(field, one.Field), Reason: one.Reason}
		}
		return out
	}
	var fe *FieldError
	if !errors.As(err, &fe) {
		return &FieldError{Field: field, Reason: err.Error()}
	}
	return &FieldError{Field: join(field, fe.Field), Reason: fe.Reason}
}

func join(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "" || strings.HasPrefix(inner, "["):
		return outer + inner
	}
	return outer + "." + inner
}

// refuse makes a FieldError.
func refuse(field, format string, args ...any) error {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// FieldErrors are several of them, as of documents that are read together. It
// unwraps to each.
type FieldErrors []*FieldError

// Add returns e with err, whose [*FieldError]s count one by one; nil adds none.
func (e FieldErrors) Add(err error) FieldErrors {
	var several FieldErrors
	var one *FieldError
	switch {
	case err == nil:
		return e
	case errors.As(err, &several):
		return append(e, several...)
	case errors.As(err, &one):
		return append(e, one)
	}
	return append(e, &FieldError{Reason: err.Error()})
}

// Err returns e as an error: nil when there is none, and one alone as itself.
func (e FieldErrors) Err() error {
	switch len(e) {
	case 0:
		return nil
	case 1:
		return e[0]
	}
	return e
}

// Error has a line for each.
func (e FieldErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns them all.
func (e FieldErrors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

// NotFoundError names a resource that does not exist.
type NotFoundError struct {
	Kind string // "endpoint", "route", "plugin", …
	Name string
}

// Error says which resource does not exist.
func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no %s %q", e.Kind, e.Name) }

// Is answers to [ErrNotFound].
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// ConflictError says that a resource is not in the state that a change
// expected.
type ConflictError struct {
	Kind string
	Name string // empty for the catalog as a whole
	Have uint64 // the present revision; 0 when the resource does not exist
}

// Error says what the resource's state is instead.
func (e *ConflictError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("the %s is at revision %d, not what the request expects: read it again and redo the change", e.Kind, e.Have)
	}
	if e.Have == 0 {
		return fmt.Sprintf("%s %q does not exist, and the request expects that it does", e.Kind, e.Name)
	}
	return fmt.Sprintf("%s %q is at revision %d, not what the request expects: read it again and redo the change", e.Kind, e.Name, e.Have)
}

// Is answers to [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// InUseError says who uses a resource that was to be deleted.
type InUseError struct {
	Kind  string
	Name  string
	Users []string // such as `route "tsi"`
}

// Error names up to five users.
func (e *InUseError) Error() string {
	shown, more := e.Users, ""
	if len(shown) > 5 {
		shown, more = shown[:5], fmt.Sprintf(" and %d more", len(e.Users)-5)
	}
	return fmt.Sprintf("%s %q is used by %s%s: change or delete that first", e.Kind, e.Name, strings.Join(shown, ", "), more)
}

// Is answers to [ErrInUse].
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// Precondition guards a change against another one. The zero value guards
// nothing; it is what If-Match and If-None-Match say.
type Precondition struct {
	// Revisions, when not nil, are those of which the resource must be at one.
	Revisions []uint64
	Exists    bool // the resource must exist, at any revision
	Absent    bool // the resource must not exist
}

// Check returns a [*ConflictError] unless the resource at revision have
// fulfils p; have is 0 for one that does not exist.
func (p Precondition) Check(kind, name string, have uint64) error {
	ok := !p.Exists || have != 0
	if p.Absent {
		ok = ok && have == 0
	}
	if p.Revisions != nil {
		found := false
		for _, r := range p.Revisions {
			found = found || r == have && have != 0
		}
		ok = ok && found
	}
	if ok {
		return nil
	}
	return &ConflictError{Kind: kind, Name: name, Have: have}
}
