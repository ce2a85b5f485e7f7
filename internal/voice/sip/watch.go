package sip

// Watch has the end of a call that has come in told although nobody has answered it
// yet: Ended, when the caller gives up or does not wait any longer. From Answer on
// it is Answer's hear that is told.
func (c *Call) Watch(hear func(Event)) {
	c.post(func() {
		switch {
		case c.done != nil:
			hear(*c.done)
		case c.hear == nil:
			c.hear = hear
		}
	})
}
