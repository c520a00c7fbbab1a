// The bundle that a worker task template loads: the crowd elements, and the
// conversation with the portal page around the template. Those that paint
// segments come with crowd-segmentation.js.

// The order of these is the order of the bundle: what is alike lies near enough to
// compress well, which was found by trial and saves a kilobyte.
import { defineBadge } from "./badge/crowd-badge.js";
import { defineShortcutSheet } from "./element/shortcut-sheet.js";
import { PlainForm } from "./form/plain-form.js";
import { FrameSession } from "./form/frame.js";
import { defineBoundingBox } from "./bounding-box/crowd-bounding-box.js";
import { CrowdForm, defineForm } from "./form/crowd-form.js";
import { defineButton } from "./button/crowd-button.js";
import { pageLook } from "./element/look.js";
import { definePolygon } from "./polygon/crowd-polygon.js";
import { defineKeypoint } from "./keypoint/crowd-keypoint.js";
import { defineRegions } from "./element/region.js";
import { definePolyline } from "./polyline/crowd-polyline.js";
import { defineTabs } from "./tabs/crowd-tabs.js";
import { defineIronIcon } from "./button/iron-icon.js";
import { defineAlert } from "./alert/crowd-alert.js";
import { defineCard } from "./card/crowd-card.js";
import { defineLine } from "./line/crowd-line.js";
import { defineModal } from "./modal/crowd-modal.js";
import { defineFab } from "./fab/crowd-fab.js";
import { mediaReports } from "./form/media.js";
import { defineInput } from "./input/crowd-input.js";
import { defineToggleButton } from "./toggle-button/crowd-toggle-button.js";
import { crowdElementsReady } from "./form/ready.js";
import { defineToast } from "./toast/crowd-toast.js";
import { defineInstructions } from "./instructions/crowd-instructions.js";
import { defineIconButton } from "./icon-button/crowd-icon-button.js";
import { defineRadio } from "./radio/crowd-radio.js";
import { defineImageClassifier } from "./image-classifier/crowd-image-classifier.js";
import { defineTextArea } from "./input/crowd-text-area.js";
import { watchParts } from "./parts.js";
import { defineClassifier } from "./classifier/crowd-classifier.js";
import { defineSliderLabel } from "./slider/crowd-slider-label.js";
import { defineCheckbox } from "./checkbox/crowd-checkbox.js";
import { defineSlider } from "./slider/crowd-slider.js";
import { defineTextTools, formWithin } from "./text-tools.js";

declare global {
  /** @outside */
  interface Window {
    /** Set by the first copy of the bundle; a template may name the bundle twice. */
    fiducialCrowdElements?: boolean;
  }
}

function start(): void {
  if (window.fiducialCrowdElements) return;
  window.fiducialCrowdElements = true;
  if (pageLook.styleSheet) document.adoptedStyleSheets.push(pageLook.styleSheet);
  mediaReports.watch(window);
  const session = new FrameSession();
  CrowdForm.session = session;
  defineRegions();
  defineForm();
  defineButton();
  defineInput();
  defineTextArea();
  defineCheckbox();
  defineRadio();
  defineClassifier();
  defineBadge();
  defineFab();
  defineIconButton();
  defineIronIcon();
  defineModal();
  defineSliderLabel();
  defineSlider();
  defineToast();
  defineToggleButton();
  defineShortcutSheet();
  defineImageClassifier();
  defineBoundingBox();
  definePolygon();
  definePolyline();
  defineLine();
  defineKeypoint();
  defineInstructions();
  defineAlert();
  defineCard();
  defineTabs();
  defineTextTools();
  watchParts();
  void crowdElementsReady().then(() => {
    const form = document.querySelector("crowd-form") ?? formWithin();
    session.start(form instanceof CrowdForm ? form : new PlainForm(session));
  });
}

start();
