package amqp

// Gone tells whether the connection is over, and not just a link or a session
// of it: OnDetach may ask, to know if the client is still there.
func (c *Conn) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}
