// What portal/map.js uses of OpenLayers; build.mjs bundles exactly this and nothing else.
export { default as Feature } from "ol/Feature.js";
export { default as GeoJSON } from "ol/format/GeoJSON.js";
export { default as Graticule } from "ol/layer/Graticule.js";
export { default as Map } from "ol/Map.js";
export { default as Overlay } from "ol/Overlay.js";
export { default as Point } from "ol/geom/Point.js";
export { default as VectorLayer } from "ol/layer/Vector.js";
export { default as VectorSource } from "ol/source/Vector.js";
export { default as View } from "ol/View.js";
export { default as Attribution } from "ol/control/Attribution.js";
export { default as Control } from "ol/control/Control.js";
export { default as ScaleLine } from "ol/control/ScaleLine.js";
export { default as Zoom } from "ol/control/Zoom.js";
export { defaults as defaultInteractions } from "ol/interaction/defaults.js";
export { Circle, Fill, RegularShape, Stroke, Style, Text } from "ol/style.js";
export { fromLonLat, transformExtent } from "ol/proj.js";
