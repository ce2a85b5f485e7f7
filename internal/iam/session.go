package iam

// How temporary credentials work: nothing about them is stored. A session token
// is the Session and the secret, sealed under a key that is derived from the root
// secret and bound to the access key's id, so that every server of a database
// accepts it, a restart loses none, and there is nothing to clean up. What the
// session may do is read from its role at each use: a role that is gone or has
// another policy counts at once.

// Issue makes temporary credentials for a session of a role.
func (k *Keys) Issue(role *Role, s Session) (*Key, error) { panic("not yet") }

// AssumedRole is the principal that a session of a role is.
func (k *Keys) AssumedRole(role *Role, s Session) (*Principal, error) { panic("not yet") }
