package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// Problem is what the server says of a request that it refused (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`          // what is wrong, and what to do
	Field  string `json:"field,omitempty"` // the member, parameter or header at fault
	Index  *int   `json:"index,omitempty"` // the place of the event at fault
	ID     string `json:"id,omitempty"`    // found in the server's log too
	// Errors are all faults of a request that has several.
	Errors []Fault `json:"errors,omitempty"`
}

// Fault is one of several faults of a request.
type Fault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"` // without the field
}

// Error returns the detail, and with several faults a line for each.
func (p *Problem) Error() string {
	if len(p.Errors) > 1 {
		lines := make([]string, len(p.Errors))
		for i, f := range p.Errors {
			lines[i] = strings.TrimPrefix(f.Field+": "+f.Detail, ": ")
		}
		return strings.Join(lines, "\n")
	}
	if p.Detail == "" {
		return fmt.Sprintf("the server answered %d %s", p.Status, p.Title)
	}
	return p.Detail
}

// Is answers to the sentinels of package catalog by the status.
func (p *Problem) Is(target error) bool {
	switch target {
	case catalog.ErrNotFound:
		return p.Status == http.StatusNotFound
	case catalog.ErrInUse:
		return p.Status == http.StatusConflict
	case catalog.ErrConflict:
		return p.Status == http.StatusPreconditionFailed
	}
	return false
}

// maxProblemBytes bounds what is read of a refusal.
const maxProblemBytes = 4 << 20

func readProblem(resp *http.Response) error {
	p := &Problem{}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxProblemBytes))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/problem+json" || json.Unmarshal(b, p) != nil {
		// Something between here and the server answered.
		p = &Problem{Title: http.StatusText(resp.StatusCode)}
		if strings.HasPrefix(kind, "text/plain") {
			p.Detail = fmt.Sprintf("the server answered %d: %.200s", resp.StatusCode, strings.TrimSpace(string(b)))
		}
	}
	p.Status = resp.StatusCode
	return p
}
