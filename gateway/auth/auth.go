// Package auth is the lock on the door: one token, four forms in which a
// request may show it, and an address that is not opened without it.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/problem"
)

// Paths that the lock knows.
const (
	eventsPath  = "/events"
	topicPath   = "/api/events"
	webhookPath = "/webhooks/eventgrid"
)

// Options are the optional inputs of [New].
type Options struct {
	// Public reports whether anybody may GET a path: the UI's static files.
	// /healthz and /readyz are public always; nil means nothing else is.
	Public func(path string) bool
	// Now is the clock of sessions; nil means time.Now.
	Now func() time.Time
}

// Lock admits requests that show the token. It is safe for concurrent use.
type Lock struct {
	closed bool
	digest [sha256.Size]byte
	public func(path string) bool
	now    func() time.Time
	cross  *http.CrossOriginProtection
}

// New returns a lock for token. An empty token leaves the door open to whoever
// reaches it, which [CheckListen] restricts to this machine; a browser that
// another site directs here is kept out even then.
func New(token string, opts Options) *Lock {
	l := &Lock{
		closed: token != "",
		digest: sha256.Sum256([]byte(token)),
		public: opts.Public,
		now:    opts.Now,
		cross:  http.NewCrossOriginProtection(),
	}
	if l.public == nil {
		l.public = func(string) bool { return false }
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l
}

// Guard returns a handler that passes on to next what the lock admits, and
// answers 401 or 403 to the rest. It serves [SessionPath] itself.
//
// It belongs outside of any access log: a code in the query has been removed
// from the request by the time next sees it.
func (l *Lock) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if path == "/healthz" || path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		shown := l.closed && l.byHeader(r)
		// Who can set the header is no page of another site.
		if detail := l.misdirected(r); !shown && detail != "" {
			_ = problem.Problem{Status: http.StatusForbidden, Detail: detail}.Write(w)
			return
		}
		if path == SessionPath {
			l.session(w, r, shown)
			return
		}
		if !shown && !l.permits(r) && !l.isPublic(r) {
			l.refuse(w, r)
			return
		}
		if path == webhookPath {
			r = withoutCode(r)
		}
		next.ServeHTTP(w, r)
	})
}

// misdirected says why a browser must have been led here by another site, or "".
func (l *Lock) misdirected(r *http.Request) string {
	if l.cross.Check(r) != nil {
		return "the request comes from a page of another origin; open the UI at this address, or send the token in the Authorization header"
	}
	// Without a token only this machine can connect, but a name that an
	// attacker controls may resolve to it.
	if !l.closed && !isLocalName(r.Host) {
		return "without a token, requests are served under localhost or an IP address only; start with --token-file to serve " + r.Host
	}
	return ""
}

func isLocalName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host == "" || net.ParseIP(host) != nil || isLoopback(host)
}

// isPublic reports whether r asks for a static file of the UI.
func (l *Lock) isPublic(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && l.public(r.URL.Path)
}

// permits reports whether r may pass without the token in a header: by a code,
// a cookie, or an open door.
func (l *Lock) permits(r *http.Request) bool {
	if !l.closed {
		return true
	}
	if r.URL.Path == webhookPath && r.URL.RawQuery != "" {
		if code := r.URL.Query().Get("code"); code != "" && l.matches(code) {
			return true
		}
	}
	cookie, err := r.Cookie(cookieName)
	return err == nil && l.isTicket(cookie.Value)
}

// byHeader reports whether r shows the token in a header, which no page of
// another site can make a browser do.
func (l *Lock) byHeader(r *http.Request) bool {
	const scheme = "Bearer "
	if h := r.Header.Get("Authorization"); len(h) > len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		return l.matches(strings.TrimSpace(h[len(scheme):]))
	}
	if path := r.URL.Path; path == eventsPath || path == topicPath {
		key := r.Header.Get("Aeg-Sas-Key")
		return key != "" && l.matches(key)
	}
	return false
}

// matches compares digests, so that the time it takes tells nothing of the
// token, not even its length.
func (l *Lock) matches(token string) bool {
	digest := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(digest[:], l.digest[:]) == 1
}

// refuse answers 401 and says how to show the token here.
func (l *Lock) refuse(w http.ResponseWriter, r *http.Request) {
	detail := "send the gateway's token as Authorization: Bearer TOKEN"
	switch r.URL.Path {
	case eventsPath, topicPath:
		detail += ", or as aeg-sas-key: TOKEN"
	case webhookPath:
		detail += ", or as ?code=TOKEN in the subscription's endpoint URL"
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="headgate"`)
	p := problem.Problem{Status: http.StatusUnauthorized, Detail: detail}
	if ofAzure(r.URL.Path) {
		p.Error = &problem.AzureError{Code: "Unauthorized", Message: detail}
	}
	_ = p.Write(w)
}

// ofAzure reports whether Azure's own clients speak to path, which look for an
// error of their form.
func ofAzure(path string) bool {
	lower := strings.ToLower(path)
	return path == topicPath || path == webhookPath || strings.HasPrefix(lower, "/eventroutes") || strings.HasPrefix(lower, "/subscriptions/")
}

// withoutCode returns r without the parameter code in its query, wherever a log
// might find it.
func withoutCode(r *http.Request) *http.Request {
	if !strings.Contains(r.URL.RawQuery, "code") && !strings.Contains(r.URL.RawQuery, "%") {
		return r
	}
	query := r.URL.Query()
	query.Del("code")
	clean := *r.URL
	clean.RawQuery = query.Encode()
	out := r.WithContext(r.Context())
	out.URL = &clean
	out.RequestURI = (&url.URL{Path: clean.Path, RawPath: clean.RawPath, RawQuery: clean.RawQuery}).String()
	return out
}
