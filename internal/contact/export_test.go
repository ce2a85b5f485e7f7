package contact

// Look has every owner do what is due by the clock, which a test has moved.
func (m *Manager) Look() {
	m.mu.Lock()
	all := make([]*live, 0, len(m.live))
	for _, l := range m.live {
		all = append(all, l)
	}
	m.mu.Unlock()
	for _, l := range all {
		look := func() {
			if due := l.deadline(); !due.IsZero() && !due.After(m.now()) {
				l.must(func(t *Transition) { t.due() })
			}
		}
		select {
		case l.mail <- look:
		case <-l.gone:
		}
	}
}

// Chains counts the chains in memory.
func (m *Manager) Chains() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.chains)
}
