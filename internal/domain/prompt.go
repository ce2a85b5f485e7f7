package domain

// Prompt is a piece of audio that flows play.
type Prompt struct {
	Name        string
	Description string `json:",omitempty"`
	// Object is the key of its audio in the own bucket of its instance. Empty
	// for a prompt that a new instance came with: its audio is made when it is
	// first asked for.
	Object string `json:",omitempty"`
	// Sound is the name of the prompt that a new instance came with, for it may
	// have been renamed since; empty for all others.
	Sound string `json:",omitempty"`
}
