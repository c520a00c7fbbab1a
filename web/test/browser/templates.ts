// Templates of the kinds that requesters write, for tests and screenshots.

const TEXT = "I bought these boots for a long walk in the hills. They were comfortable from the first hour on, and after two weeks of rain my feet are still dry. The laces broke on the third day, though.";

const INSTRUCTIONS = (title: string): string => `
    <full-instructions header="${title}"><h3>Take your time</h3><p>Read the task carefully.</p><ul><li>Look at the whole picture.</li><li>Choose what fits best.</li></ul></full-instructions>
    <short-instructions><p>Read the task carefully and look at the whole picture.</p><p>Choose the label that <b>best</b> suits it.</p></short-instructions>`;

export const TEMPLATES: Readonly<Record<string, string>> = {
  "bounding-box": `<crowd-form><crowd-bounding-box name="annotatedResult" src="/photo.jpg" header="Draw a box around every animal and person in this picture" labels="['Bird', 'Cat', 'Dog', 'Person with a rather long name']"
    initial-value="[{left:110,top:180,width:240,height:200,label:'Bird'},{left:420,top:240,width:150,height:180,label:'Dog'},{left:600,top:60,width:120,height:330,label:'Person with a rather long name'},{left:460,top:300,width:60,height:60,label:'Cat'}]">${INSTRUCTIONS("How to draw boxes")}</crowd-bounding-box></crowd-form>`,
  "semantic-segmentation": `<crowd-form><crowd-semantic-segmentation name="annotatedResult" src="/photo.jpg" header="Label every part of this picture" labels="['Road', 'House', 'Something with a rather long name']">${INSTRUCTIONS("Segmentation")}</crowd-semantic-segmentation></crowd-form>`,
  "instance-segmentation": `<crowd-form><crowd-instance-segmentation name="annotatedResult" src="/photo.jpg" header="Mark each thing by itself" labels="['Cat', 'Dog', 'Bird']">${INSTRUCTIONS("Segmentation")}</crowd-instance-segmentation></crowd-form>`,
  "image-classifier": `<crowd-form><crowd-image-classifier name="category" src="/photo.jpg" header="Choose the correct category for the image" categories="['Cat', 'Dog', 'Bird', 'None of the Above']">${INSTRUCTIONS("Classification")}</crowd-image-classifier></crowd-form>`,
  "image-classifier-verify": `<crowd-form><crowd-image-classifier name="category" src="/photo.jpg" header="Rate the boxes" categories="['good', 'bad', 'okay']"
    overlay='{"boundingBox": {labels: ["bird", "cat"], value: [{height: 200, label: "bird", left: 110, top: 180, width: 240}, {height: 180, label: "cat", left: 420, top: 240, width: 150}]}}'>
    <worker-comment header="Why?" link-text="Say why" placeholder="The box is too wide.">Explain your choice.</worker-comment>${INSTRUCTIONS("Verification")}</crowd-image-classifier></crowd-form>`,
  "image-classifier-multi-select": `<crowd-form><crowd-image-classifier-multi-select name="animals" src="/photo.jpg" header="Which animals are in this picture?" categories="['Cat', 'Dog', 'Horse', 'Pig', 'Bird']" exclusion-category="{ text: 'None of the above' }">${INSTRUCTIONS("Classification")}</crowd-image-classifier-multi-select></crowd-form>`,
  classifier: `<crowd-form><crowd-classifier name="mood" categories="['Positive', 'Negative', 'Neutral', 'N/A']" header="What sentiment does this text convey?"><classification-target>${TEXT}</classification-target>${INSTRUCTIONS("Sentiment")}</crowd-classifier></crowd-form>`,
  "classifier-multi-select": `<crowd-form><crowd-classifier-multi-select name="mood" categories="['Comfort', 'Price', 'Durability']" header="What does the text speak of?" exclusion-category="{ text: 'None of the above' }"><classification-target>${TEXT}</classification-target>${INSTRUCTIONS("Topics")}</crowd-classifier-multi-select></crowd-form>`,
  form: `<crowd-form>
    <crowd-instructions link-text="View instructions" link-type="button">
      <short-summary><p>Three words for a picture.</p></short-summary><detailed-instructions><p>Imagine that you describe it to a friend.</p></detailed-instructions>
      <positive-example><p>Highway, cars, gas station</p></positive-example><negative-example><p>Trees, outside, daytime</p></negative-example>
    </crowd-instructions>
    <crowd-alert type="info" dismissible>Take your time.</crowd-alert><crowd-alert type="success">Well done.</crowd-alert><crowd-alert type="warning">Not much time left.</crowd-alert><crowd-alert type="error" dismissible>Something is wrong.</crowd-alert>
    <crowd-input name="tag1" label="Word or phrase 1" required></crowd-input>
    <crowd-input name="tag2" placeholder="Another word"></crowd-input>
    <crowd-text-area name="why" label="Why?" rows="3" char-counter max-length="200" value="Because."></crowd-text-area>
    <p>The picture is</p>
    <div><crowd-checkbox name="image_attributes" value="blurry" checked>Blurry</crowd-checkbox></div>
    <div><crowd-checkbox name="image_attributes" value="dim">Too dim</crowd-checkbox></div>
    <div><crowd-checkbox name="image_attributes" value="exposed" disabled>Too bright</crowd-checkbox></div>
    <crowd-radio-group><crowd-radio-button name="tech" value="tech">Technology</crowd-radio-button><crowd-radio-button name="politics" value="politics" checked>Politics</crowd-radio-button></crowd-radio-group>
    <p><label>Plain <select name="plain"><option value="">(Please select)</option><option>One</option></select></label> <label><input type="checkbox" name="sure" value="yes"> Sure</label></p>
    <p><crowd-button>Normal</crowd-button> <crowd-button variant="primary" icon="search">Search</crowd-button> <crowd-button variant="link">Link</crowd-button> <crowd-button loading>Loading</crowd-button> <crowd-button disabled>Disabled</crowd-button> <crowd-button variant="icon" icon="settings">Settings</crowd-button></p>
    <crowd-card heading="A card"><div style="margin: 10px 16px">Everything is great!</div></crowd-card>
    <short-instructions>Say what you see.</short-instructions><full-instructions header="In full">More.</full-instructions>
  </crowd-form>`,
  tabs: `<crowd-form><crowd-tabs><crowd-tab header="Picture"><h2>Picture</h2><img src="/photo.jpg" style="max-width: 40%"></crowd-tab><crowd-tab header="Text"><h2>Text</h2><crowd-input label="Input inside tab" name="inside"></crowd-input></crowd-tab></crowd-tabs><crowd-input label="Input outside tabs" name="outside"></crowd-input></crowd-form>`,
  "entity-annotation": `<crowd-entity-annotation name="entities" header="Highlight the people, places and dates" description="Label every mention, also within a longer one."
    labels="[{'label': 'person', 'shortDisplayName': 'PER', 'fullDisplayName': 'Person'}, {'label': 'org', 'shortDisplayName': 'ORG', 'fullDisplayName': 'Organisation'}, {'label': 'place', 'shortDisplayName': 'LOC', 'fullDisplayName': 'Place'}, {'label': 'date', 'shortDisplayName': 'DAT', 'fullDisplayName': 'Date'}, 'product', 'event', 'a label with quite a long name']"
    text="Ada Lovelace met Charles Babbage in London in June 1833, at a party of Mary Somerville.&#10;The University of London’s Faculty of Science kept her letters. 😀 The rest is in שלום עולם and elsewhere.&#10;&#10;שלום עולם, this line runs from right to left."
    initial-value="[{label:'person',startOffset:0,endOffset:12},{label:'person',startOffset:17,endOffset:32},{label:'place',startOffset:36,endOffset:42},{label:'date',startOffset:46,endOffset:55},{label:'org',startOffset:92,endOffset:133},{label:'org',startOffset:92,endOffset:112},{label:'place',startOffset:106,endOffset:112}]">${INSTRUCTIONS("Entities")}</crowd-entity-annotation>`,
  "moderation-labels": `<crowd-form><crowd-rekognition-detect-moderation-labels src="/photo.jpg" header="Review the picture and choose all that apply" categories="[{name:'Graphic Violence',parentName:'Violence'},{name:'Smoking',parentName:'Tobacco'}]">${INSTRUCTIONS("Review")}</crowd-rekognition-detect-moderation-labels></crowd-form>`,
  "analyze-document": `<crowd-form><crowd-textract-analyze-document src="/photo.jpg" header="Correct what does not match the document" no-key-edit no-geometry-edit keys="[{importantFormKey:'Phone',importantFormKeyAliases:['Tel.']}]"
    initial-value="[{blockType:'KEY_VALUE_SET',id:'k',entityTypes:['KEY'],text:'Name:',geometry:{boundingBox:{left:.1,top:.1,width:.15,height:.05}},relationships:[{type:'VALUE',ids:['v']}]},{blockType:'KEY_VALUE_SET',id:'v',entityTypes:['VALUE'],text:'Ada Lovelace',geometry:{boundingBox:{left:.3,top:.1,width:.25,height:.05}}}]">${INSTRUCTIONS("Documents")}</crowd-textract-analyze-document></crowd-form>`,
  "text-ranking": `<crowd-form><crowd-text-ranking name="ranked" header="Which response is the best?" text="Explain why you see yourself in a mirror." ordinal-ranking-dimensions='[{"name":"Clarity","allowTie":true},{"name":"Accuracy","allowTie":false}]' responses='["Light from you reaches the mirror and comes back to your eyes, at the angle at which it fell.","The mirror paints a picture of you.","Photons."]'>${INSTRUCTIONS("Ranking")}</crowd-text-ranking></crowd-form>`,
  "question-answer": `<crowd-form><crowd-question-answer-generation name="qa" header="Write questions that this text answers" text="The Amazon covers most of its basin in South America, 7,000,000 square kilometres of which 5,500,000 are forest.&#10;Nine nations have a part of it." min-questions="1" max-questions="5" question-tags='["What", "Why", "When", "Where"]' allow-custom-question-tags="true">${INSTRUCTIONS("Questions")}</crowd-question-answer-generation></crowd-form>`,
  plain: `<h2>No crowd-form here</h2><p>Just a question: <input name="answer" required></p>`,
};
