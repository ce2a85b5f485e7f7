package domain

// EmailAddress is an address that an instance receives and sends e-mail by.
type EmailAddress struct {
	Address     string
	Description string `json:",omitempty"`
	DisplayName string `json:",omitempty"`
	// AliasID is the address whose e-mail is forwarded to this one. Neither has
	// another alias, nor is one.
	AliasID EmailAddressID `json:",omitempty"`
}
