// The second part of the bundle: the elements that paint segments, a fifth of
// all, which only their own pages need.

import { defineInstanceSegmentation } from "./instance-segmentation/crowd-instance-segmentation.js";
import { defineSemanticSegmentation } from "./semantic-segmentation/crowd-semantic-segmentation.js";

defineSemanticSegmentation();
defineInstanceSegmentation();
