package domain

// InstanceReplica is an instance in a second region. It has the instance's id,
// and shows what the instance holds.
type InstanceReplica struct {
	InstanceID InstanceID
	Region     string
	Alias      string
}
