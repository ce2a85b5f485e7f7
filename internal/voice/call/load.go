package call

// Load is what calls take up at a moment.
type Load struct {
	Calls    int // of signalling, that have not ended
	Sessions int // of sound
	Ports    int // pairs of ports that are not free, those at rest included
}

// Load is zero before Open, and on nil Calls.
func (c *Calls) Load() Load {
	if c == nil {
		return Load{}
	}
	c.mu.Lock()
	endpoint, engine := c.endpoint, c.media
	c.mu.Unlock()
	if endpoint == nil || engine == nil {
		return Load{}
	}
	return Load{endpoint.Calls(), engine.Sessions(), engine.Ports()}
}
