package lambda

import "time"

// Impatient makes a client retry at once.
func Impatient(c *Client) *Client {
	c.pause = func(int) time.Duration { return 0 }
	return c
}

// Patient makes a client wait for longer than any limit before it retries.
func Patient(c *Client) *Client {
	c.pause = func(int) time.Duration { return time.Hour }
	return c
}
