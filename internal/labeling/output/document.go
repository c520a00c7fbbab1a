package output

import (
	"bytes"
	"encoding/json"
	"time"

	"fiducial/internal/fault"
)

// answerTime is how worker-response documents write an instant: UTC,
// milliseconds, with a Z.
const answerTime = "2006-01-02T15:04:05.000Z"

// Answer is one worker's answer to one data object.
type Answer struct {
	WorkerID  string
	Content   json.RawMessage // the submitted form: element name -> value
	Accepted  time.Time       // when the worker took the task; zero: not written
	Submitted time.Time
	Spent     time.Duration // working time; zero with zero Accepted: not written
	Identity  Identity      // zero: not written
}

// Identity says where a worker's account lives.
type Identity struct {
	ProviderType string // Cognito or Oidc
	Issuer       string // https://cognito-idp.<region>.amazonaws.com/<pool>
	Sub          string
}

// Members in the alphabetical order that real worker-response files have.
type workerResponse struct {
	Answers []answerDocument `json:"answers"`
}

type answerDocument struct {
	AcceptanceTime     string          `json:"acceptanceTime,omitempty"`
	AnswerContent      json.RawMessage `json:"answerContent"`
	SubmissionTime     string          `json:"submissionTime"`
	TimeSpentInSeconds *float64        `json:"timeSpentInSeconds,omitempty"`
	WorkerID           string          `json:"workerId"`
	WorkerMetadata     *workerMetadata `json:"workerMetadata,omitempty"`
}

type workerMetadata struct {
	IdentityData identityData `json:"identityData"`
}

type identityData struct {
	IdentityProviderType string `json:"identityProviderType"`
	Issuer               string `json:"issuer"`
	Sub                  string `json:"sub"`
}

// WorkerResponse builds the worker-response document of one data object:
// every answer to it, in the order given. Answers written before a worker's
// acceptance was recorded lose those members, as files of 2019 had them.
func WorkerResponse(answers []Answer) ([]byte, error) {
	const op = "output.WorkerResponse"
	list, err := answerDocuments(op, answers)
	if err != nil {
		return nil, err
	}
	return encode(op, workerResponse{list})
}

func answerDocuments(op string, answers []Answer) ([]answerDocument, error) {
	out := make([]answerDocument, 0, len(answers))
	for _, a := range answers {
		if err := objectContent(op, a); err != nil {
			return nil, err
		}
		d := answerDocument{AnswerContent: a.Content, SubmissionTime: a.Submitted.UTC().Format(answerTime), WorkerID: a.WorkerID}
		if !a.Accepted.IsZero() {
			seconds := float64(a.Spent.Round(time.Millisecond)) / float64(time.Second)
			d.AcceptanceTime, d.TimeSpentInSeconds = a.Accepted.UTC().Format(answerTime), &seconds
		}
		if a.Identity != (Identity{}) {
			d.WorkerMetadata = &workerMetadata{identityData{a.Identity.ProviderType, a.Identity.Issuer, a.Identity.Sub}}
		}
		out = append(out, d)
	}
	return out, nil
}

// Object is a data object with its answers, as consolidation gets it. Exactly
// one of SourceRef and Source comes from the manifest line.
type Object struct {
	ID        string
	SourceRef string // s3 URI of the object
	Source    string // the object itself, when the manifest holds its text
	Answers   []Answer
}

type requestObject struct {
	DatasetObjectID string              `json:"datasetObjectId"`
	DataObject      requestData         `json:"dataObject"`
	Annotations     []requestAnnotation `json:"annotations"`
}

type requestData struct {
	S3URI   string  `json:"s3Uri,omitempty"`
	Content *string `json:"content,omitempty"`
}

type requestAnnotation struct {
	WorkerID       string         `json:"workerId"`
	AnnotationData annotationData `json:"annotationData"`
}

type annotationData struct {
	Content string `json:"content"` // JSON within a JSON string, as Ground Truth passes it
}

// ConsolidationRequest builds the document that a consolidation works from:
// one batch of objects, each with all its answers. It is also what a
// post-annotation function reads at payload.s3Uri.
func ConsolidationRequest(objects []Object) ([]byte, error) {
	const op = "output.ConsolidationRequest"
	doc := make([]requestObject, 0, len(objects))
	for _, o := range objects {
		r := requestObject{DatasetObjectID: o.ID}
		if o.SourceRef != "" {
			r.DataObject.S3URI = o.SourceRef
		} else {
			r.DataObject.Content = &o.Source
		}
		var err error
		if r.Annotations, err = requestAnnotations(op, o.Answers); err != nil {
			return nil, err
		}
		doc = append(doc, r)
	}
	return encode(op, doc)
}

func requestAnnotations(op string, answers []Answer) ([]requestAnnotation, error) {
	out := make([]requestAnnotation, 0, len(answers))
	for _, a := range answers {
		if err := objectContent(op, a); err != nil {
			return nil, err
		}
		var content bytes.Buffer
		if err := json.Compact(&content, a.Content); err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		out = append(out, requestAnnotation{a.WorkerID, annotationData{content.String()}})
	}
	return out, nil
}

// Consolidated is the outcome of one object of a batch.
type Consolidated struct {
	ID         string
	Annotation Annotation
	// Content has members besides, which a function answered with; may be nil.
	Content json.RawMessage
}

type responseObject struct {
	DatasetObjectID        string              `json:"datasetObjectId"`
	ConsolidatedAnnotation consolidatedContent `json:"consolidatedAnnotation"`
}

type consolidatedContent struct {
	Content json.RawMessage `json:"content"`
}

// ConsolidationResponse builds the document that a consolidation answers
// with: per object, the members that its manifest line gets.
func ConsolidationResponse(attribute string, results []Consolidated) ([]byte, error) {
	const op = "output.ConsolidationResponse"
	doc := make([]responseObject, 0, len(results))
	for _, r := range results {
		if r.Content == nil {
			r.Content = json.RawMessage("{}")
		}
		content, err := Splice(r.Content, r.Annotation.members(attribute)...)
		if err != nil {
			return nil, err
		}
		doc = append(doc, responseObject{r.ID, consolidatedContent{content}})
	}
	return encode(op, doc)
}

type toolData struct {
	DocumentVersion string      `json:"document-version"`
	Labels          []toolLabel `json:"labels"`
}

type toolLabel struct {
	Label string `json:"label"`
}

// ToolData builds annotation-tool/data.json for a job whose categories did
// not come from a file; a file's own bytes are copied instead.
func ToolData(labels []string) ([]byte, error) {
	doc := toolData{DocumentVersion: "2018-11-28", Labels: make([]toolLabel, 0, len(labels))}
	for _, l := range labels {
		doc.Labels = append(doc.Labels, toolLabel{l})
	}
	return encode("output.ToolData", doc)
}

func objectContent(op string, a Answer) error {
	if !IsObject(a.Content) {
		return fault.Newf(op, fault.Invalid, "the answer of worker %s is not a JSON object", a.WorkerID)
	}
	return nil
}

// encode writes compact JSON in which <, > and & stand for themselves: the
// documents are read by scripts, never by a browser, and label names must
// look as the requester wrote them.
func encode(op string, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
