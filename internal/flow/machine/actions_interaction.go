package machine

// interactionHandlers are those of flow's interactions.
var interactionHandlers = map[string]handler{}
