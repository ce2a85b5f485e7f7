package domain

// Prompt is a piece of audio that flows play.
type Prompt struct {
	Name        string
	Description string `json:",omitempty"`
}
