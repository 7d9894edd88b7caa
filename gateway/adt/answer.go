package adt

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// Codes of errors that are not about one kind of resource. Those of routes are
// Azure Digital Twins' own; it does not publish others for these faults.
const (
	codeArgument   = "InvalidArgument"
	codeNoVersion  = "MissingApiVersionParameter"
	codeBadVersion = "UnsupportedApiVersionValue"
	codeMethod     = "MethodNotAllowed"
	codeTooLarge   = "RequestEntityTooLarge"
	codeMediaType  = "UnsupportedMediaType"
	codeConflict   = "Conflict"
	codeBusy       = "ServiceUnavailable"
	codeInternal   = "InternalServerError"
)

// maxBodyBytes bounds a request.
const maxBodyBytes = 1 << 20

// fault is a refusal in the form that Azure's clients read.
type fault struct {
	status        int
	code, message string
	retryAfter    time.Duration
	allow         string // the methods there are, where that is what is wrong
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func refuse(status int, code, message string) error {
	return &fault{status: status, code: code, message: message}
}

// answer runs handle and writes what it returns: a reply or a refusal.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, handle func(*http.Request) (reply, error)) {
	out, err := s.try(r, handle)
	if err != nil {
		out = s.refusal(r, err)
	}
	common(w.Header(), r)
	for name, value := range out.header {
		w.Header().Set(name, value)
	}
	if out.body == nil {
		w.WriteHeader(out.status)
		return
	}
	body, err := encode(out.body)
	if err != nil {
		s.opts.Logger.Error("answer cannot be written", "path", r.URL.Path, "err", err)
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(out.status)
	w.Write(body)
}

// try makes a panic an error.
func (s *Server) try(r *http.Request, handle func(*http.Request) (reply, error)) (out reply, err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return handle(r)
}

// reply is what a request is answered.
type reply struct {
	status int
	header map[string]string
	body   any // nil for none
}

// errorBody is the JSON of a refusal.
type errorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

func (s *Server) refusal(r *http.Request, err error) reply {
	f := describe(err)
	if f.status == http.StatusInternalServerError {
		id := rand.Text()
		s.opts.Logger.Error("request failed", "id", id, "method", r.Method, "path", r.URL.Path, "err", err)
		f.message = "The server failed; its log has more under the id " + id + "."
	}
	var body errorBody
	body.Error.Code, body.Error.Message = f.code, f.message
	out := reply{status: f.status, header: map[string]string{"x-ms-error-code": f.code}, body: body}
	if f.retryAfter > 0 {
		out.header["Retry-After"] = strconv.Itoa(max(1, int(math.Ceil(f.retryAfter.Seconds()))))
	}
	if f.allow != "" {
		out.header["Allow"] = f.allow
	}
	return out
}

// notAllowed refuses a method where there are others.
func notAllowed(r *http.Request, methods string) error {
	return &fault{status: http.StatusMethodNotAllowed, code: codeMethod, allow: methods,
		message: r.Method + " is not served here; there are " + methods + "."}
}

// describe decides the status and the code of err where no handler did.
func describe(err error) *fault {
	var (
		known    *fault
		field    *catalog.FieldError
		maxBytes *http.MaxBytesError
		later    interface{ RetryAfter() time.Duration }
	)
	switch {
	case errors.As(err, &known):
		copied := *known
		return &copied
	case errors.As(err, &field):
		return &fault{status: http.StatusBadRequest, code: codeArgument, message: sentence(field.Error())}
	case errors.As(err, &maxBytes):
		return &fault{status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
			message: fmt.Sprintf("The body is longer than the %d bytes allowed here.", maxBytes.Limit)}
	case errors.Is(err, catalog.ErrInUse), errors.Is(err, catalog.ErrConflict):
		return &fault{status: http.StatusConflict, code: codeConflict, message: sentence(err.Error())}
	case errors.As(err, &later):
		return &fault{status: http.StatusServiceUnavailable, code: codeBusy, message: sentence(err.Error()), retryAfter: later.RetryAfter()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &fault{status: http.StatusServiceUnavailable, code: codeBusy, retryAfter: time.Second,
			message: "The request ended before its answer was ready; try again."}
	}
	return &fault{status: http.StatusInternalServerError, code: codeInternal}
}

// sentence makes an error's words one.
func sentence(text string) string { return strings.TrimSuffix(text, ".") + "." }

// encode writes v as JSON, without a line's end and without escapes that only
// HTML needs: the service's answers have neither.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// common sets the headers that every answer of the service has.
func common(h http.Header, r *http.Request) {
	id := uuid()
	h["mise-correlation-id"] = []string{id}
	h["traceresponse"] = []string{traceResponse(r.Header.Get("traceparent"))}
	h.Set("x-ms-request-id", id)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if secure(r) {
		h.Set("Strict-Transport-Security", "max-age=2592000")
	}
}

// traceResponse is a span of the caller's trace, or of a new one.
func traceResponse(parent string) string {
	var random [24]byte
	rand.Read(random[:])
	trace, span := hex.EncodeToString(random[:16]), hex.EncodeToString(random[16:])
	if part := strings.Split(parent, "-"); len(part) == 4 && len(part[1]) == 32 && isHex(part[1]) && part[1] != strings.Repeat("0", 32) {
		trace = part[1]
	}
	return "00-" + trace + "-" + span + "-01"
}

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// secure reports whether the client speaks TLS, if only to a proxy that says so.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// absolute is the URL at which the client finds path on this server.
func absolute(r *http.Request, path string, query url.Values) string {
	u := url.URL{Scheme: "http", Host: r.Host, Path: path, RawQuery: query.Encode()}
	if secure(r) {
		u.Scheme = "https"
	}
	return u.String()
}

// checkVersion returns the version of the API that r asks for, one of known;
// another is refused with the code unknown.
func checkVersion(r *http.Request, known []string, unknown string) (string, error) {
	version := r.URL.Query().Get("api-version")
	if version == "" {
		return "", refuse(http.StatusBadRequest, codeNoVersion,
			"The api-version query parameter (?api-version=) is required for all requests. The supported versions are "+strings.Join(known, ", ")+".")
	}
	if !slices.Contains(known, version) {
		return "", refuse(http.StatusBadRequest, unknown,
			"The api-version '"+version+"' is not supported. The supported versions are "+strings.Join(known, ", ")+".")
	}
	return version, nil
}

// readBody reads the whole body, which has to be JSON.
func readBody(r *http.Request) ([]byte, error) {
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); media != "" && !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return nil, refuse(http.StatusUnsupportedMediaType, codeMediaType, "The content type is "+strings.TrimSpace(media)+"; send application/json.")
	}
	if r.ContentLength > maxBodyBytes {
		return nil, &http.MaxBytesError{Limit: maxBodyBytes}
	}
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBodyBytes))
	var large *http.MaxBytesError
	if err != nil && !errors.As(err, &large) {
		return nil, refuse(http.StatusBadRequest, codeArgument, "The body ends too early.")
	}
	return b, err
}
