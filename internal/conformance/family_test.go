package conformance

// family is what the operations of one group of kinds add to the tables of this
// package, in a file of their own: family_<group>_test.go.
type family struct {
	recipes    map[string]recipe
	makers     map[kind]maker
	references map[string]kind // members that name resources
	literals   map[string]any  // values by member
	examples   map[string]example
	noInstance map[string]string
	noARN      []string
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
