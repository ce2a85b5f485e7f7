package conformance

// family is what the operations of one group of kinds add to the tables of this
// package, in a file of their own: family_<group>_test.go.
//
// The operations of the Participant service are walked like the others, under
// their full names ("ConnectParticipant.SendMessage" in recipes). Where their
// tokens come from is said as for any reference: a kind for each sort of token,
// what makes one (a maker that starts a chat and returns its token), and
// references from the members ParticipantToken and ConnectionToken to them. In
// the place of policies and wrong instances they have TestTokens: it sends no
// token, nonsense, an altered token and one of each other kind by itself, and
// those of badTokens, which must know how to make an expired one.
type family struct {
	recipes    map[string]recipe
	makers     map[kind]maker
	references map[string]kind // members that name resources
	literals   map[string]any  // values by member
	examples   map[string]example
	noInstance map[string]string
	noARN      []string
	// badTokens makes tokens that look right and must be refused, by the kind in
	// whose place they come and what is wrong with them. Each kind has one that
	// is "expired".
	badTokens map[kind]map[string]maker
}

// add puts a family into the tables, in a func init of its file. What two
// families say of the same is a mistake.
func add(f family) {
	merge(recipes, f.recipes)
	merge(makers, f.makers)
	merge(references, f.references)
	merge(literals, f.literals)
	merge(examples, f.examples)
	merge(noInstance, f.noInstance)
	merge(badTokens, f.badTokens)
	for _, member := range f.noARN {
		merge(noARN, map[string]bool{member: true})
	}
}

func merge[K comparable, V any](into, more map[K]V) {
	for k, v := range more {
		if _, ok := into[k]; ok {
			panic("two families speak of the same")
		}
		into[k] = v
	}
}
