package flow

import "strings"

// consoleTypes are the console's words for the types of flows, as it writes
// them into Metadata.
var consoleTypes = map[string]Type{
	"contactFlow":     "CONTACT_FLOW",
	"customerQueue":   "CUSTOMER_QUEUE",
	"customerHold":    "CUSTOMER_HOLD",
	"customerWhisper": "CUSTOMER_WHISPER",
	"agentHold":       "AGENT_HOLD",
	"agentWhisper":    "AGENT_WHISPER",
	"outboundWhisper": "OUTBOUND_WHISPER",
	"agentTransfer":   "AGENT_TRANSFER",
	"queueTransfer":   "QUEUE_TRANSFER",
	"campaign":        "CAMPAIGN",
	"journey":         "CAMPAIGN",
}

// Detect tells the type of a document from what the console writes into its
// Metadata, or from an action that only modules have. The API is told the type
// beside the content and looks at neither. Without a sign it is an inbound flow.
func Detect(content string) Type {
	const plain Type = "CONTACT_FLOW"
	root, _, err := parseJSON(content)
	if err != nil {
		return plain
	}
	if actions := root.Get("Actions"); actions != nil {
		for _, act := range actions.Items {
			if has(act, "Type", endModule) {
				return Module
			}
		}
	}
	word := root.Get("Metadata").Get("type").String()
	if strings.Contains(strings.ToLower(word), "module") {
		return Module
	}
	if t, known := consoleTypes[word]; known {
		return t
	}
	for _, t := range Types() {
		if string(t) == word {
			return t
		}
	}
	return plain
}
