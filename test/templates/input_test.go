package templates

import (
	"encoding/json"
	"regexp"
)

var (
	picture = regexp.MustCompile(`taskObject\s*\|\s*grant_read_access`)
	series  = regexp.MustCompile(`\bd3\.`)
	// signed templates leave the signing of the URL to whoever makes the task.
	signed   = regexp.MustCompile(`src="\{\{\s*task\.input\.taskObject\s*\}\}"`)
	document = regexp.MustCompile(`(?i)\.pdf|<iframe`)
)

var points = []map[string]any{{"date": "2024-01-01", "value": 3}, {"date": "2024-01-02", "value": 5}}

const s3 = "s3://media/"

// taskInput has every member that known templates ask for, fit for this one.
func taskInput(src, media string) json.RawMessage {
	var object any = "Good birds sing. Bad birds do not sing at all."
	switch {
	case signed.MatchString(src):
		object = media + "bird.png"
	case picture.MatchString(src) && document.MatchString(src):
		object = s3 + "page.html"
	case picture.MatchString(src):
		object = s3 + "bird.png"
	case regexp.MustCompile(`taskObject\.`).MatchString(src):
		object = map[string]any{"billing_address": "1 High Street", "billing_state": "WA", "billing_postal": "98101", "email_address": "a@example.com",
			"ip_address": "192.0.2.1", "phone_number": "555", "user_agent": "none"}
	case series.MatchString(src):
		object = points
	}
	source := any("Birds sing in the morning.")
	if series.MatchString(src) {
		source = map[string]any{"readings": []map[string]any{{"timestamp": "2024-01-01T00:00:00Z", "value": 3}}}
	}
	labels := any([]string{"Bird", "Cat"})
	if regexp.MustCompile(`crowd-entity`).MatchString(src) {
		labels = []map[string]string{{"label": "bird", "shortDisplayName": "B", "fullDisplayName": "Bird"}, {"label": "mood"}}
	}
	key := func(id, text string) map[string]any {
		return map[string]any{"blockType": "KEY_VALUE_SET", "confidence": 38.4, "id": id, "entityTypes": []string{"KEY"}, "text": text, "geometry": box(0.1, 0.1),
			"relationships": []map[string]any{{"type": "VALUE", "ids": []string{id + "-value"}}}}
	}
	value := func(id, text string) map[string]any {
		return map[string]any{"blockType": "KEY_VALUE_SET", "confidence": 50, "id": id + "-value", "entityTypes": []string{"VALUE"}, "text": text, "geometry": box(0.4, 0.1)}
	}
	raw, _ := json.Marshal(map[string]any{ // plain values only
		"taskObject": object, "source": source, "labels": labels, "source-ref": s3 + "sound.wav", "transcription": "la la",
		"image": s3 + "bird.png", "image1": s3 + "a.png", "image2": s3 + "b.png", "audioFile1": s3 + "a.wav", "audioFile2": s3 + "b.wav",
		"textBeginning": "Birds", "textEnd": "early.", "context": "a zoo", "intent": "ask", "prompt": "Say something.", "response": "Something.",
		"modelResponse": "A bird.", "company": "Birds & Co", "surveyLink": "https://example.com/survey", "responses": []string{"One bird.", "Two birds.", "Three."},
		"original": map[string]string{"language": "English", "text": "bird"}, "translation": map[string]string{"language": "German", "text": "Vogel"},
		"item1": map[string]string{"title": "Bird", "image": s3 + "a.png"}, "item2": map[string]string{"title": "Bird!", "image": s3 + "b.png"},
		"Pairs":     []map[string]string{{"first": "a", "second": "b"}, {"first": "c", "second": "d"}},
		"sourceRef": []map[string]string{{"label": "bird", "s3_image_url": s3 + "a.png"}, {"label": "cat", "s3_image_url": s3 + "b.png"}},
		"score":     map[string]any{"sample_fraud_detection_insightscore": 900}, "initialValue": []any{},
		"aiServiceRequest": map[string]any{"image": map[string]any{"s3Object": map[string]string{"bucket": "media", "name": "bird.png"}},
			"document": map[string]any{"s3Object": map[string]string{"bucket": "media", "name": "bird.png"}}},
		"selectedAiServiceResponse": map[string]any{"moderationLabels": []map[string]string{{"name": "Gore", "parentName": "Violence"}},
			"blocks": []any{key("1", "Name:"), value("1", "Ada"), key("2", "Town:"), value("2", "London")}},
		"humanLoopContext": map[string]any{"importantFormKeys": []map[string]any{{"importantFormKey": "Phone", "importantFormKeyAliases": []string{"Tel."}}}},
		"manifestLine":     map[string]any{},
	})
	return raw
}

func box(left, top float64) map[string]any {
	return map[string]any{"boundingBox": map[string]float64{"left": left, "top": top, "width": 0.2, "height": 0.05}}
}
