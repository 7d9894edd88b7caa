package amqp

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"
)

// cbs is the address of the node to which clients put tokens.
const cbs = "$cbs"

// Token is a claim to an address that a client puts to $cbs.
type Token struct {
	Type     string // servicebus.windows.net:sastoken, or jwt
	Audience string // a URI whose path is the address
	Value    string
}

// Address is the path of the audience.
func (t Token) Address() string {
	u, err := url.Parse(t.Audience)
	if err != nil {
		return t.Audience
	}
	return strings.Trim(u.Path, "/")
}

// claims are the addresses that a client may use.
type claims map[string]struct{}

// putToken answers a request to $cbs.
func (c *Conn) putToken(ctx context.Context, r Request) Response {
	if r.Operation() != "put-token" {
		return Response{Status: 501, Condition: NotImplemented, Description: "the only operation here is put-token"}
	}
	t := Token{}
	t.Type, _ = r.Property("type").(string)
	t.Audience, _ = r.Property("name").(string)
	t.Value, _ = r.Body().(string)
	f := c.s.o.Faults.hit(PutToken, t.Address())
	if f.Drop {
		c.Drop()
		return Response{}
	}
	if f.Delay > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(f.Delay):
		}
	}
	if f.Error != nil {
		return Response{Status: cmp.Or(f.Status, 401), Condition: f.Error.Condition, Description: f.Error.Error()}
	}
	if c.s.o.Authorize != nil {
		if err := c.s.o.Authorize(t); err != nil {
			return Response{Status: 401, Condition: UnauthorizedAccess, Description: err.Error()}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.claims == nil {
		c.claims = claims{}
	}
	c.claims[t.Address()] = struct{}{}
	return Response{Status: 202, Description: "Accepted"}
}

// authorized fails when the client has no claim to an address, or to one above
// it. A management node without an entity takes any claim, since its requests
// carry tokens of their own.
func (c *Conn) authorized(address string) error {
	if c.s.o.Authorize == nil || c.s.o.Open || c.trusted {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for claim := range c.claims {
		if covers(claim, address) || address == "$management" {
			return nil
		}
	}
	return Errorf(UnauthorizedAccess, "no token was put for %q", address)
}
