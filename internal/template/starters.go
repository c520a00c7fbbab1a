package template

import (
	"embed"
	"encoding/json"
	"slices"
)

//go:embed starters
var starterFiles embed.FS

// Starter is a template to begin with, and an input that it can be tried with.
type Starter struct {
	Name, Title, About string
	Source             string
	Input              json.RawMessage
}

// starterList is in the order in which people are shown it.
var starterList = []Starter{
	{Name: "image-classification", Title: "Image classification", About: "One label for each image"},
	{Name: "image-classification-multi", Title: "Image classification, several labels", About: "All labels that fit an image"},
	{Name: "bounding-box", Title: "Bounding boxes", About: "A box around each object"},
	{Name: "polygon", Title: "Polygons", About: "An outline around each object"},
	{Name: "polyline", Title: "Polylines", About: "Lines of several parts, such as lanes or edges"},
	{Name: "line", Title: "Lines", About: "Straight lines between two points"},
	{Name: "keypoint", Title: "Keypoints", About: "Single points, such as joints or corners"},
	{Name: "semantic-segmentation", Title: "Semantic segmentation", About: "A label for each pixel"},
	{Name: "instance-segmentation", Title: "Instance segmentation", About: "A coloured area for each single object"},
	{Name: "text-classification", Title: "Text classification", About: "One label for each text"},
	{Name: "text-classification-multi", Title: "Text classification, several labels", About: "All labels that fit a text"},
	{Name: "named-entity-recognition", Title: "Named entities", About: "Words in a text and what they name"},
	{Name: "video-classification", Title: "Video classification", About: "One label for each clip"},
	{Name: "audio-transcription", Title: "Audio transcription", About: "What is said in a recording"},
	{Name: "verification", Title: "Label verification", About: "Are the boxes of an earlier job right?"},
	{Name: "adjustment", Title: "Label adjustment", About: "Mend the boxes of an earlier job"},
	{Name: "image-moderation", Title: "Image moderation", About: "What a picture shows that not everybody should see"},
}

// Starters are templates for every task type.
func Starters() []Starter {
	out := slices.Clone(starterList)
	for i := range out {
		out[i] = out[i].loaded()
	}
	return out
}

// StarterNamed returns one of them.
func StarterNamed(name string) (Starter, bool) {
	i := slices.IndexFunc(starterList, func(s Starter) bool { return s.Name == name })
	if i < 0 {
		return Starter{}, false
	}
	return starterList[i].loaded(), true
}

func (s Starter) loaded() Starter {
	// Files that are embedded are there: a test reads each of them.
	src, _ := starterFiles.ReadFile("starters/" + s.Name + ".html")
	s.Source = string(src)
	s.Input, _ = starterFiles.ReadFile("starters/" + s.Name + ".json")
	return s
}
