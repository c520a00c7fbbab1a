// What is documented of each crowd element: attributes by name, regions in angle
// brackets, members of the answer, and what scripts use. Every entry has a test of
// its own. Names only, of the elements' pages in the SageMaker developer guide, and
// below them those that AWS's samples use without a page.

const FIELD = ["answer", "property value", "property _submittableValue", "property disabled", "event change", "event input"];
const INSTRUCTIONS = ["<full-instructions>", "<short-instructions>"];
const TEXT = ["allowed-pattern", "auto-focus", "auto-validate", "disabled", "error-message", "label", "max-length", "name", "placeholder", "value", ...FIELD];
const CLASSIFIER = ["categories", "header", "name", "property categories", ...INSTRUCTIONS, ...FIELD];
const TOOL = ["header", "labels", "name", "property value", "property _submittableValue", "property disabled", "event change", "event input", ...INSTRUCTIONS];
const PICTURE = ["src", "answer inputImageProperties", ...TOOL];

export const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  "crowd-alert": ["dismissible", "type"],
  "crowd-bounding-box": [...PICTURE, "initial-value", "answer boundingBoxes", "answer initialValueModified"],
  "crowd-keypoint": [...PICTURE, "initial-value", "answer keypoints"],
  "crowd-line": [...PICTURE, "initial-value", "label-colors", "answer lines", "answer initialValueModified"],
  "crowd-polygon": [...PICTURE, "initial-value", "answer polygons"],
  "crowd-polyline": [...PICTURE, "initial-value", "label-colors", "answer polylines", "answer initialValueModified"],
  "crowd-semantic-segmentation": [...PICTURE, "initial-value", "answer labeledImage", "answer labelMappings", "answer initialValueModified"],
  "crowd-instance-segmentation": [...PICTURE, "answer labeledImage", "answer instances"],
  "crowd-entity-annotation": [...TOOL, "text", "initial-value", "answer entities"],
  "crowd-rekognition-detect-moderation-labels": ["header", "src", "categories", "exclusion-category"],
  "crowd-textract-analyze-document": ["header", "src", "initialValue", "blockTypes", "keys", "no-key-edit", "no-geometry-edit", ...INSTRUCTIONS],
  "crowd-badge": ["for", "icon", "label"],
  "crowd-button": ["disabled", "form-action", "href", "icon", "icon-align", "icon-url", "loading", "target", "variant"],
  "crowd-card": ["heading", "image"],
  "crowd-checkbox": ["checked", "disabled", "name", "required", "value", ...FIELD],
  "crowd-classifier": [...CLASSIFIER, "<classification-target>"],
  "crowd-classifier-multi-select": [...CLASSIFIER, "<classification-target>", "exclusion-category"],
  "crowd-fab": ["disabled", "icon", "label", "title"],
  "crowd-icon-button": ["disabled", "icon"],
  "crowd-image-classifier": [...CLASSIFIER, "overlay", "src", "<worker-comment>", "<worker-comment> header", "<worker-comment> link-text", "<worker-comment> placeholder"],
  "crowd-image-classifier-multi-select": [...CLASSIFIER, "exclusion-category", "src", "<worker-comment>"],
  "crowd-input": [...TEXT, "min-length", "required", "type"],
  "crowd-instructions": ["link-text", "link-type", "<detailed-instructions>", "<negative-example>", "<positive-example>", "<short-summary>"],
  "crowd-modal": ["link-text", "link-type"],
  "crowd-radio-button": ["checked", "disabled", "name", "value", ...FIELD],
  "crowd-radio-group": ["answer", "one at a time"],
  "crowd-slider": ["disabled", "editable", "max", "min", "name", "pin", "required", "secondary-progress", "step", "value", "<crowd-slider-label>", "<crowd-slider-label> position", ...FIELD],
  "crowd-tab": ["header"],
  "crowd-tabs": ["fields on every tab", "keys"],
  "crowd-text-area": [...TEXT, "char-counter", "max-rows", "rows", "required"],
  "crowd-toast": ["duration", "text", "opened"],
  "crowd-toggle-button": ["checked", "disabled", "invalid", "name", "required", "value", ...FIELD],
  "crowd-form": ["property value", "submit", "event submit"],
  "crowd-text-ranking": ["text", "responses", "ordinal-ranking-dimensions", "answer rankings"],
  "crowd-question-answer-generation": ["text", "min-questions", "max-questions", "question-tags", "answer questionAnswerPairs"],
};
