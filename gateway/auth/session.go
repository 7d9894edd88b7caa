package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/problem"
)

const (
	// SessionPath is where the UI logs in (POST), asks whether it is (GET), and
	// logs out (DELETE).
	SessionPath = "/api/v1/session"
	// cookieName is the UI's cookie.
	cookieName = "headgate_session"
	// sessionTime is how long a login lasts.
	sessionTime = 12 * time.Hour
)

// session serves [SessionPath]; shown tells that r shows the token in a header.
func (l *Lock) session(w http.ResponseWriter, r *http.Request, shown bool) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodPost:
		l.login(w, r)
	case http.MethodGet, http.MethodHead:
		l.tell(w, shown || l.permits(r))
	case http.MethodDelete:
		http.SetCookie(w, l.cookie(r, "", -1))
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		_ = problem.Problem{Status: http.StatusMethodNotAllowed, Detail: "POST a token to log in, GET to ask, DELETE to log out"}.Write(w)
	}
}

// tell answers whether the token is needed, and whether the request is let in.
// It is no refusal, so that a page can ask before it asks for the token.
func (l *Lock) tell(w http.ResponseWriter, admitted bool) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintf(w, `{"required":%t,"admitted":%t}`+"\n", l.closed, admitted)
}

// login exchanges the token, sent as {"token":"…"}, for a cookie that a script
// cannot read and that no other site can send.
func (l *Lock) login(w http.ResponseWriter, r *http.Request) {
	token, err := tokenOf(r.Body)
	if err != nil {
		_ = problem.Problem{Status: http.StatusBadRequest, Field: "token", Detail: err.Error()}.Write(w)
		return
	}
	if l.closed && !l.matches(token) {
		l.refuse(w, r)
		return
	}
	if l.closed {
		http.SetCookie(w, l.cookie(r, l.ticket(l.now().Add(sessionTime)), int(sessionTime/time.Second)))
	}
	w.WriteHeader(http.StatusNoContent)
}

// tokenOf reads the body of a login.
func tokenOf(body io.Reader) (string, error) {
	var login struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(io.LimitReader(body, 8<<10)).Decode(&login); err != nil {
		return "", errors.New(`send the token as JSON: {"token":"…"}`)
	}
	return strings.TrimSpace(login.Token), nil
}

func (l *Lock) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}

// ticket is the value of a cookie that is good until then: the time, and a code
// over it that only the token's owner can make. It needs no memory here, and a
// new token ends it.
func (l *Lock) ticket(until time.Time) string {
	expiry := strconv.FormatInt(until.Unix(), 10)
	return expiry + "." + base64.RawURLEncoding.EncodeToString(l.code(expiry))
}

// isTicket reports whether value is a ticket of this lock and still good.
func (l *Lock) isTicket(value string) bool {
	expiry, code, ok := strings.Cut(value, ".")
	if !ok {
		return false
	}
	given, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil || !hmac.Equal(given, l.code(expiry)) {
		return false
	}
	until, err := strconv.ParseInt(expiry, 10, 64)
	return err == nil && l.now().Before(time.Unix(until, 0))
}

func (l *Lock) code(expiry string) []byte {
	mac := hmac.New(sha256.New, l.digest[:])
	mac.Write([]byte("headgate session until " + expiry))
	return mac.Sum(nil)
}
