package labeling

// Title is what pages call a task type.
func (t TaskType) Title() string {
	switch t {
	case ImageClassification:
		return "Image classification"
	case ImageClassificationMultiLabel:
		return "Image classification, multi-label"
	case ObjectDetection:
		return "Bounding boxes"
	case ObjectDetectionAdjustment:
		return "Bounding boxes, adjustment"
	case ObjectDetectionVerification:
		return "Bounding boxes, verification"
	case SemanticSegmentation:
		return "Semantic segmentation"
	case SemanticSegmentationAdjustment:
		return "Semantic segmentation, adjustment"
	case SemanticSegmentationVerification:
		return "Semantic segmentation, verification"
	case TextClassification:
		return "Text classification"
	case TextClassificationMultiLabel:
		return "Text classification, multi-label"
	case NamedEntityRecognition:
		return "Named entities"
	case VideoClassification:
		return "Video classification"
	}
	return "Custom"
}
