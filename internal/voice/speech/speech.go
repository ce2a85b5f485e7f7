// Package speech makes sound of text: by a speech engine of the machine
// (espeak-ng, flite), by a service over HTTP, or, where there is neither, by a
// tone that marks where speech would be. What was spoken once is kept.
package speech

// Text is something to say. One of Plain and SSML is set.
type Text struct {
	Plain string
	// SSML is as in the administrator guide, "SSML tags": speak, break, lang, mark,
	// p, phoneme, prosody, s, say-as, sub, w, amazon:effect. Others are ignored.
	SSML     string
	Voice    string // such as Joanna
	Engine   string // standard, neural, generative; "" for standard
	Style    string
	Language string // such as en-US; "" for that of the voice
}
