package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/manifest"
	"fiducial/internal/labeling/output"
)

// The members of a message that have to do with deduplication, as Ground Truth
// names them.
const (
	keyMember       = "dataset-objectid-attribute-name"
	sequencerMember = "$sequencer"

	maxKey = 140 // characters
)

// keyShape is what a deduplication key may be. Ground Truth also prints a pattern
// for the id, which its own example does not match; the length alone is looked at.
var keyShape = regexp.MustCompile(`^[$a-zA-Z0-9](-*[a-zA-Z0-9])*$`)

// idMember is the member that holds the id which the job gave an object.
func idMember(j *labeling.Job) string { return "$" + j.LabelAttributeName + "-object-id" }

// notification is what of SNS's envelope counts.
type notification struct {
	Type      string
	MessageID string `json:"MessageId"`
	Message   string
}

// Parse reads the data objects of a queue's message, which is SNS's envelope around
// a line of a manifest or around an event notification of S3. A test event of S3,
// and an event that is no creation, has none. Faults are Invalid and say why the
// message is no data object.
func Parse(j *labeling.Job, body string) ([]labeling.Arrival, error) {
	const op = "stream.Parse"
	var n notification
	if err := json.Unmarshal([]byte(body), &n); err != nil || n.Type != "Notification" || n.MessageID == "" {
		return nil, fault.Newf(op, fault.Invalid, "it did not come through the input topic: it has no SNS envelope")
	}
	text := []byte(n.Message)
	if !utf8.Valid(text) || !output.IsObject(text) {
		return nil, fault.Newf(op, fault.Invalid, `expected a JSON object such as {"source-ref": "s3://bucket/key"}, or an event notification of S3`)
	}
	var event s3Event
	if json.Unmarshal(text, &event) == nil {
		switch {
		case event.Event == "s3:TestEvent":
			return nil, nil
		case len(event.Records) > 0 && event.Records[0].EventSource == "aws:s3":
			return event.objects(j)
		}
	}
	a, err := line(j, n.MessageID, text)
	if err != nil {
		return nil, err
	}
	return []labeling.Arrival{a}, nil
}

// s3Event is what of an event notification of S3 counts.
type s3Event struct {
	Event   string
	Records []struct {
		EventSource string `json:"eventSource"`
		EventName   string `json:"eventName"`
		S3          struct {
			Bucket struct {
				Name string `json:"name"`
			} `json:"bucket"`
			Object struct {
				Key       string `json:"key"` // URL-encoded, as in a form
				Sequencer string `json:"sequencer"`
			} `json:"object"`
		} `json:"s3"`
	}
}

// maxRecords bounds a notification; S3's have one record.
const maxRecords = 100

// objects are the objects that were created. The id is made of the object's URI and
// the sequencer: the same object written again is another data object, the same
// event told again is not. It is a digest, for the two may be longer than an id.
func (e *s3Event) objects(j *labeling.Job) ([]labeling.Arrival, error) {
	const op = "stream.Parse"
	if IsText(j.TaskType) {
		return nil, fault.Newf(op, fault.Invalid, "event notifications of S3 are not for text labeling jobs; send the text in \"source\"")
	}
	if len(e.Records) > maxRecords {
		return nil, fault.Newf(op, fault.Invalid, "the event notification has %d records, more than %d", len(e.Records), maxRecords)
	}
	var out []labeling.Arrival
	for _, r := range e.Records {
		if r.EventSource != "aws:s3" || !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil || r.S3.Object.Sequencer == "" || len(r.S3.Object.Sequencer) > 256 {
			return nil, fault.Newf(op, fault.Invalid, "the event notification has no key or no sequencer of an object")
		}
		uri := "s3://" + r.S3.Bucket.Name + "/" + key
		if _, err := labeling.ParseS3Object(uri); err != nil {
			return nil, fault.Newf(op, fault.Invalid, "the event notification's object: %s", fault.MessageOf(err))
		}
		sum := sha256.Sum256([]byte(uri + "\n" + r.S3.Object.Sequencer))
		id := hex.EncodeToString(sum[:])
		text, err := splice([]byte("{}"), pair{"source-ref", uri}, pair{keyMember, idMember(j)}, pair{idMember(j), id}, pair{sequencerMember, r.S3.Object.Sequencer})
		if err != nil {
			return nil, err
		}
		out = append(out, labeling.Arrival{ID: id, Line: text})
	}
	return out, nil
}

// IsText reports whether a job's data objects are texts.
func IsText(t labeling.TaskType) bool {
	return strings.HasPrefix(string(t), "text-") || strings.HasPrefix(string(t), "named-entity")
}

// line is a message that is a line of a manifest. The id is the value of the member
// that the message names as its key, or else SNS's id of the message, which is put
// into the line for whoever reads the output.
func line(j *labeling.Job, messageID string, text []byte) (labeling.Arrival, error) {
	const op = "stream.Parse"
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return labeling.Arrival{}, fault.E(op, fault.Invalid, "it is not JSON", err)
	}
	text = compact.Bytes()
	l, err := manifest.Message(text, j.LabelAttributeName)
	if err != nil {
		return labeling.Arrival{}, err
	}
	if l.Labeled {
		return labeling.Arrival{}, fault.Newf(op, fault.Invalid, "it has a label named %s already, which is the job's own LabelAttributeName", labeling.Quote(j.LabelAttributeName))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return labeling.Arrival{}, fault.E(op, fault.Invalid, "it is not a JSON object", err)
	}
	named, own := members[keyMember]
	if !own {
		text, err = splice(text, pair{keyMember, idMember(j)}, pair{idMember(j), messageID})
		return labeling.Arrival{ID: messageID, Line: text}, err
	}
	var key, id string
	if json.Unmarshal(named, &key) != nil || utf8.RuneCountInString(key) > maxKey || !keyShape.MatchString(key) {
		return labeling.Arrival{}, fault.Newf(op, fault.Invalid, "%s must be the name of a member: 1-%d letters, digits and inner hyphens, with or without $ before them", keyMember, maxKey)
	}
	if v, ok := members[key]; !ok || json.Unmarshal(v, &id) != nil || id == "" || utf8.RuneCountInString(id) > labeling.MaxDeduplicationID {
		return labeling.Arrival{}, fault.Newf(op, fault.Invalid, "%s names the member %s, which must be a string of 1-%d characters", keyMember, labeling.Quote(key), labeling.MaxDeduplicationID)
	}
	return labeling.Arrival{ID: id, Line: text}, nil
}

type pair struct{ name, value string }

func splice(text []byte, pairs ...pair) ([]byte, error) {
	members := make([]output.Member, len(pairs))
	for i, p := range pairs {
		v, err := json.Marshal(p.value)
		if err != nil {
			return nil, fault.E("stream.splice", fault.Internal, "", err)
		}
		members[i] = output.Member{Name: p.name, Value: v}
	}
	return output.Splice(text, members...)
}
