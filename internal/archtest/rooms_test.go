package archtest

// A room is a package, or a folder of packages of one kind, and what it may
// import. Test files are free: a test may boot a whole server.
type room struct {
	// path is relative to the module. One that ends in /* stands for every
	// package below it; those are siblings and never import one another.
	path string
	// internal lists the rooms that it may import, sub-packages not included.
	internal []string
	// modules lists the import path prefixes outside the module and the
	// standard library that it may import.
	modules []string
	// why says what would be lost if it imported more.
	why string
}

const (
	sdk      = "github.com/aws/aws-sdk-go-v2"
	sdkTypes = sdk + "/service/connect/types"
	uuid     = "github.com/google/uuid"
)

// everything lets the packages that join the others import them all.
var everything = []string{"*"}

// rooms lists every package of the module, the innermost first.
var rooms = []room{
	{
		"internal/fault", nil, nil,
		"every room returns faults, so fault can lean on none of them",
	},
	{
		"internal/domain",
		[]string{"internal/fault"},
		[]string{sdkTypes, uuid, "golang.org/x/text"},
		"the nouns and their rules outlive every way to store or serve them; of the SDK it takes plain value types, not the client",
	},
	{
		"internal/starter", nil, nil,
		"what a new instance holds is data; the areas turn it into resources",
	},
	{
		"internal/contract",
		[]string{"internal/fault"},
		[]string{sdkTypes, "github.com/go-json-experiment/json"},
		"the protocol follows from the service model alone; knowing an operation's meaning would write the contract twice",
	},
	{
		"internal/contract/genunions", nil, nil,
		"a generator that needs what it generates cannot be run when that is broken",
	},
	{
		"internal/contract/genparticipant", nil, nil,
		"as genunions",
	},
	{
		"internal/contract/connectparticipant",
		[]string{"internal/contract/connectparticipant/types"},
		nil,
		"it stands for a module of the SDK: plain inputs and outputs",
	},
	{
		"internal/contract/connectparticipant/types", nil, nil,
		"it stands for a package of the SDK: plain values",
	},
	{
		"internal/sigv4",
		[]string{"internal/fault"},
		nil,
		"a signature is checked before anything is known about the request; the SDK's signer is the oracle of its tests and must not be its code",
	},
	{
		"internal/store",
		[]string{"internal/domain", "internal/fault"},
		nil,
		"it declares what storage does and knows no database",
	},
	{
		"internal/store/sqlstore",
		[]string{"internal/store", "internal/domain", "internal/fault"},
		[]string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "modernc.org/sqlite"},
		"a database keeps resources without knowing their rules, so that every kind is stored in the same way",
	},
	{
		"internal/store/storetest",
		[]string{"internal/store", "internal/domain", "internal/fault"},
		nil,
		"one suite for every store: it may not know which one it tests",
	},
	{
		"internal/prerequisite", nil, nil,
		"it only says what becomes of a test that lacks a program",
	},
	{
		"internal/certtest", nil, nil,
		"it only makes certificates for tests, whatever presents them",
	},
	{
		"internal/store/storetest/pgtest",
		[]string{"internal/prerequisite"},
		[]string{"github.com/jackc/pgx/v5"},
		"it only lends databases to tests",
	},
	{
		"internal/search",
		[]string{"internal/domain", "internal/store"},
		[]string{"github.com/RoaringBitmap/roaring/v2"},
		"the index answers queries over fields; what the fields mean is told to it by the catalog",
	},
	{
		"internal/iam",
		[]string{"internal/domain", "internal/fault", "internal/store"},
		nil,
		"a decision depends on the principal, the action, the resource and the context, and on nothing that serves or stores the resource",
	},
	{
		"internal/identity",
		[]string{"internal/domain", "internal/fault", "internal/store"},
		[]string{"golang.org/x/crypto", "golang.org/x/sync"},
		"who somebody is does not depend on what they may do or on how they ask",
	},
	{
		"internal/identity/saml", nil,
		[]string{"github.com/crewjam/saml", "github.com/russellhaering/goxmldsig", "github.com/beevik/etree", "github.com/mattermost/xml-roundtrip-validator"},
		"whether an assertion holds depends on its bytes, the provider's key and the clock; what follows from it is decided elsewhere",
	},
	{
		"internal/identity/saml/samltest", nil, nil,
		"what it writes is to be read by code that it does not know",
	},
	{
		"internal/identity/ldap", nil,
		[]string{"github.com/go-ldap/ldap/v3", "github.com/go-asn1-ber/asn1-ber", "golang.org/x/time"},
		"a directory is asked about names and passwords, whoever needs to know",
	},
	{
		"internal/identity/once",
		[]string{"internal/store"},
		nil,
		"that something has been used is one fact, whatever it is",
	},
	{
		"internal/identity/ldap/ldaptest",
		[]string{"internal/certtest", "internal/prerequisite"},
		nil,
		"it only lends directories to tests",
	},
	{
		"internal/identity/oidc", nil,
		[]string{"github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"},
		"as ldap",
	},
	{
		"internal/audit", nil, nil,
		"it writes down what it is told",
	},
	{
		"internal/logfile", nil, nil,
		"a line is kept whatever it says",
	},
	{
		"internal/mail", nil,
		[]string{"github.com/wneessen/go-mail"},
		"a message is sent whatever it says",
	},
	{
		"internal/federation",
		[]string{"internal/audit", "internal/domain", "internal/fault", "internal/iam", "internal/identity/once", "internal/identity/saml", "internal/store"},
		nil,
		"who may assume which role is settled before any operation of Amazon Connect is asked",
	},
	{
		"internal/signin",
		[]string{"internal/audit", "internal/domain", "internal/fault", "internal/federation", "internal/iam", "internal/identity", "internal/identity/ldap", "internal/identity/oidc", "internal/identity/once", "internal/identity/saml", "internal/mail", "internal/store"},
		[]string{"golang.org/x/time", uuid},
		"who is let in is decided here, for pages and tokens alike; users are known through a narrow interface, and HTML not at all",
	},
	{
		"internal/login",
		[]string{"internal/domain", "internal/fault", "internal/federation", "internal/signin"},
		[]string{uuid},
		"pages show what signin decides; none of them reads the store",
	},
	{
		"internal/login/logintest",
		[]string{"internal/prerequisite"},
		[]string{"github.com/chromedp"},
		"it only starts a browser for tests",
	},
	{
		"internal/scim",
		[]string{"internal/audit", "internal/domain", "internal/fault"},
		[]string{sdk + "/aws", sdk + "/service/connect", uuid},
		"SCIM is another language for the operations on users, and has no way around them",
	},
	{
		"internal/catalog",
		[]string{"internal/domain", "internal/fault", "internal/search", "internal/store"},
		[]string{sdkTypes},
		"one life cycle for all kinds: it may not know an area, nor a database",
	},
	{
		"internal/flow",
		[]string{"internal/domain", "internal/fault"},
		[]string{sdkTypes, "github.com/go-json-experiment/json"},
		"the flow language is checked and run without a network, a database or a clock",
	},
	{
		"internal/flow/machine",
		[]string{"internal/domain", "internal/flow"},
		[]string{sdkTypes, "github.com/go-json-experiment/json"},
		"a flow runs on events alone: state and event in, state and commands out, so that it can be tested and replayed without a call",
	},
	{
		"internal/contact/queue",
		[]string{"internal/domain", "internal/store"},
		[]string{sdkTypes},
		"who waits where is told to it; it changes no contact",
	},
	{
		"internal/contact/record",
		[]string{"internal/domain"},
		[]string{sdkTypes},
		"what is told of a contact follows from what is known of it",
	},
	{
		"internal/contact/lease",
		[]string{"internal/store"},
		[]string{uuid},
		"that only one server does something is the same whatever it does",
	},
	{
		"internal/contact/recorder", nil, nil,
		"what is recorded of a call follows from what was said and asked for, and how far the call is",
	},
	{
		"internal/contact/talk",
		[]string{"internal/domain", "internal/fault", "internal/store"},
		nil,
		"what is known of a chat follows from what was said; who may say what, and when that is told, is not its affair",
	},
	{
		"internal/contact",
		[]string{"internal/contact/lease", "internal/contact/queue", "internal/contact/record", "internal/contact/recorder", "internal/contact/talk", "internal/domain", "internal/fault", "internal/flow", "internal/flow/machine", "internal/store"},
		[]string{sdk + "/aws", sdkTypes, uuid},
		"what a contact needs of voice, agents, configuration and services it declares itself, so that each can be replaced and none of them can change a contact",
	},
	{
		"internal/voice/simulated",
		[]string{"internal/contact"},
		nil,
		"who is called follows a script and the clock; a flow cannot tell it from telephony, for both are contact.Dialer",
	},
	{
		"internal/voice/sdp",
		[]string{"internal/audio"},
		[]string{"github.com/pion/sdp/v3"},
		"what two sides agree to depends on what they say, and on nothing that carries it",
	},
	{
		"internal/voice/dscp", nil, nil,
		"a mark on a socket knows nothing of what goes through it",
	},
	{
		"internal/voice/sip/wire",
		[]string{"internal/voice/dscp"},
		[]string{"github.com/emiago/sipgo"},
		"messages are brought whatever they are about: who may be heard, and what a call is, is told to it",
	},
	{
		"internal/voice/sip/auth",
		[]string{"internal/voice/sip/wire"},
		[]string{"github.com/emiago/sipgo", "github.com/icholy/digest"},
		"whether a password is right depends on names, passwords, and what was said, not on what it opens",
	},
	{
		"internal/voice/sip",
		[]string{"internal/audio", "internal/voice/sdp", "internal/voice/sip/auth", "internal/voice/sip/wire"},
		[]string{"github.com/emiago/sipgo", "golang.org/x/time"},
		"signalling knows neither sound nor contacts: it brings descriptions of the one to those who know the other",
	},
	{
		"internal/voice/media",
		[]string{"internal/audio", "internal/voice/dscp"},
		[]string{"github.com/pion/rtp", "github.com/pion/rtcp"},
		"sound is carried where it is told to, whatever signalling or flow it is for",
	},
	{
		"internal/voice/stream",
		[]string{"internal/audio", "internal/voice/media", "internal/voice/sdp"},
		nil,
		"it joins descriptions and sound, for whichever call they are of",
	},
	{
		"internal/voice/speech",
		[]string{"internal/audio"},
		nil,
		"text in, sound out",
	},
	{
		"internal/voice/call",
		[]string{"internal/audio", "internal/contact", "internal/domain", "internal/voice/media", "internal/voice/sdp", "internal/voice/sip", "internal/voice/speech", "internal/voice/stream", "internal/flow/machine"},
		nil,
		"it makes a contact.Leg of signalling and sound; which number leads where is told to it",
	},
	{
		"internal/voice/phone",
		[]string{"internal/audio", "internal/voice/media", "internal/voice/sdp", "internal/voice/sip", "internal/voice/stream"},
		nil,
		"a telephone is on the far side of a trunk and knows no contacts",
	},
	{
		"internal/recording",
		[]string{"internal/audio", "internal/objects"},
		nil,
		"a recording is a file until it is stored; what is recorded, and where it belongs, is told to it",
	},
	{
		"internal/chat",
		[]string{"internal/contact", "internal/contact/record", "internal/domain", "internal/fault", "internal/store"},
		[]string{"github.com/coder/websocket"},
		"it carries what is said to those who are to hear it; who may say what is decided by the contact",
	},
	{
		"internal/chat/topics",
		[]string{"internal/chat"},
		[]string{sdk, "github.com/aws/smithy-go", uuid},
		"a topic takes a message as it is",
	},
	{
		"internal/flowtest",
		[]string{"internal/audio", "internal/domain", "internal/flow", "internal/flow/machine", "internal/starter"},
		[]string{sdk + "/aws", sdkTypes, "github.com/go-json-experiment/json", "gopkg.in/yaml.v3"},
		"a test of a flow gives the same answer on a laptop and in a server, as long as neither can be asked for but through its World",
	},
	{
		"internal/audio", nil, nil,
		"what is in a recording depends on its bytes alone; calls will play what prompts have checked",
	},
	{
		"internal/objects",
		[]string{"internal/domain"},
		[]string{sdk, "github.com/aws/smithy-go"},
		"a store of files knows nothing of what they are for",
	},
	{
		"internal/lambda", nil,
		[]string{sdk, "github.com/aws/smithy-go", uuid},
		"it calls a function with an event; what an event says, and what becomes of the answer, is the flow's",
	},
	{
		"internal/event",
		[]string{"internal/logfile", "internal/store"},
		[]string{sdk, "github.com/aws/smithy-go", "github.com/prometheus/client_golang"},
		"it delivers what is in the store as it is; what happens, and what is told of it, is the contacts'",
	},
	{
		"internal/numbering",
		[]string{"internal/domain"},
		[]string{sdkTypes, "github.com/nyaruka/phonenumbers"},
		"which numbers there are is a matter of numbering plans; who has claimed one is the areas'",
	},
	{
		"internal/evaluation",
		[]string{"internal/domain", "internal/fault"},
		[]string{sdkTypes},
		"what a form asks and how answers are scored does not depend on how either is kept",
	},
	{
		"internal/app/*",
		[]string{"internal/audio", "internal/catalog", "internal/chat", "internal/contact", "internal/contact/record", "internal/contract/connectparticipant", "internal/contract/connectparticipant/types", "internal/domain", "internal/evaluation", "internal/fault", "internal/federation", "internal/flow", "internal/flow/machine", "internal/flowtest", "internal/objects", "internal/search", "internal/signin", "internal/starter", "internal/store"},
		[]string{sdk},
		"an area serves its operations through the catalog, or through the engine of contacts, whose types are the words for what lives; it knows neither HTTP nor SQL, and asks a sibling through a narrow interface that it declares itself",
	},
	{
		"internal/gateway",
		[]string{"internal/contract", "internal/domain", "internal/fault", "internal/iam", "internal/sigv4"},
		[]string{uuid, "github.com/prometheus/client_golang", "golang.org/x/time"},
		"the front door treats all operations alike: it gets them as values and imports no area",
	},
	{
		"internal/server", everything,
		[]string{sdk, "github.com/coder/websocket", "github.com/prometheus/client_golang"},
		"it joins the rooms",
	},
	{
		"internal/server/servertest",
		[]string{"internal/server", "internal/fault"},
		[]string{sdk},
		"tests talk to a booted server as its clients do",
	},
	{
		"internal/conformance", everything,
		[]string{sdk},
		"it holds tests alone",
	},
	{
		"internal/roundtrip", nil, nil,
		"it holds tests alone",
	},
	{
		"internal/coverage",
		[]string{"internal/server", "internal/contract"},
		nil,
		"what is served is asked of the binding",
	},
	{
		"internal/archtest", nil, nil,
		"it reads the source and imports none of it",
	},
	{
		"cmd/ringdown",
		[]string{"internal/server", "internal/audio", "internal/flow", "internal/flow/machine", "internal/flowtest", "internal/lambda", "internal/voice/phone"},
		[]string{"gopkg.in/yaml.v3", sdk}, // the demo is a client
		"the command line reads settings and shows what the server says; what it could do alone, tests could not boot",
	},
	{
		"cmd/bench", everything,
		[]string{sdk, "github.com/prometheus/client_golang", "modernc.org/sqlite", "github.com/coder/websocket"},
		"it measures parts as well as the whole, and the bare database beside them",
	},
	{
		"scripts/*",
		[]string{"internal/audio"}, // tones to send, and to know again
		[]string{sdk},
		"a script's program is a client like any other",
	},
}

// A ban keeps a package to a few rooms.
type ban struct {
	// imports are the import paths, each with all below it.
	imports []string
	only    []string // the rooms that may import it all the same
	why     string
}

var bans = []ban{
	{
		[]string{"database/sql", "github.com/jackc/pgx/v5", "modernc.org/sqlite", "github.com/pressly/goose/v3"},
		[]string{"internal/store/sqlstore", "internal/store/storetest/pgtest", "cmd/bench"},
		"SQL stays behind store.Store, so that both databases behave alike and a third can be added",
	},
	{
		[]string{"net/http"},
		[]string{
			"internal/fault", "internal/contract", "internal/sigv4", "internal/gateway", "internal/server",
			"internal/server/servertest", "internal/conformance", "cmd/bench", "scripts/*",
			"internal/lambda",                 // functions are called by HTTP
			"internal/event",                  // and events delivered by it
			"internal/chat/topics",            // as chats are to topics
			"internal/voice/speech",           // and voices are a service's
			"internal/identity/oidc",          // so are identities
			"internal/login", "internal/scim", // pages and protocols of their own
		},
		"rules that know HTTP cannot be used by a call or a flow",
	},
	{
		[]string{"net"},
		[]string{
			"internal/gateway", "internal/server", "internal/conformance", "cmd/bench", "scripts/*",
			"internal/voice/sip/wire", "internal/voice/media", // calls have edges of their own
			"internal/identity/ldap", "internal/identity/ldap/ldaptest", "internal/mail", // and so have directories and mail
			"internal/login", // it tells whom a proxy speaks for
		},
		"only the edge of the process talks to the network",
	},
	{
		[]string{"os", "os/exec"},
		[]string{
			"internal/contract/genunions", "internal/contract/genparticipant", "internal/store/sqlstore", "internal/prerequisite", "internal/certtest", "internal/store/storetest/pgtest", "internal/identity/ldap/ldaptest", "internal/login/logintest",
			"internal/server", "internal/coverage", "internal/conformance", "cmd/ringdown", "cmd/bench", "scripts/*",
			"internal/objects",      // a store in files, as sqlstore is in a database
			"internal/logfile",      // the audit log, and a sink of events
			"internal/recording",    // recordings are files until they are stored
			"internal/voice/speech", // speech engines are other programs
		},
		"files and the environment are read where the process is put together; elsewhere they would be hidden settings",
	},
	{
		[]string{"flag"},
		[]string{"cmd/ringdown", "cmd/bench", "internal/coverage", "internal/conformance", "scripts/*"},
		"a setting reaches a room as a parameter",
	},
	{
		[]string{"testing"},
		[]string{"internal/prerequisite", "internal/certtest", "internal/store/storetest", "internal/store/storetest/pgtest", "internal/identity/ldap/ldaptest", "internal/login/logintest", "internal/server/servertest", "internal/conformance"},
		"test code does not belong in the program",
	},
	{
		[]string{"internal/prerequisite", "internal/certtest"},
		[]string{"internal/store/storetest/pgtest", "internal/identity/ldap/ldaptest", "internal/login/logintest"},
		"test code does not belong in the program",
	},
	{
		[]string{"internal/server/servertest", "internal/store/storetest", "internal/identity/ldap/ldaptest", "internal/identity/saml/samltest", "internal/login/logintest"},
		[]string{"internal/conformance", "cmd/bench"},
		"test code does not belong in the program",
	},
}
