// The track map: <div class="map" data-land="…" data-track="…" data-events="…">what to read when there is no map</div>
//
//   data-land        land-110m.json; the fine one is fetched from data-land-fine when somebody zooms in
//   data-track       GeoJSON (geometry, feature or collection) of lines or areas, cut at 180 degrees
//   data-events      GeoJSON points with properties label, time (ISO), note, url, count; all optional but label
//   data-plain       many tracks: no marks at the beginning and the end
//   data-label       what the map shows, for screen readers
//
// Land is our own: a ship has no tile server. Colours are the stylesheet's --map-… tokens, so the map follows the theme.
import {
  Attribution, Circle, Control, Feature, Fill, GeoJSON, Graticule, Map, Overlay, Point, RegularShape, ScaleLine,
  Stroke, Style, Text, VectorLayer, VectorSource, View, Zoom, defaultInteractions, fromLonLat, transformExtent,
} from "../vendor/ol.js";

const FINE_ZOOM = 4.5;
const geojson = new GeoJSON({ featureProjection: "EPSG:3857" });

async function fetchJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

/** The tokens as the browser understands them now. */
function palette(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const colours = {};
  for (const name of ["water", "land", "coast", "grid", "label", "track", "halo", "event"]) {
    probe.style.color = `var(--map-${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  colours.font = getComputedStyle(element).fontFamily;
  probe.remove();
  return colours;
}

// --- land -------------------------------------------------------------------------------------------------------------

// The polygons are cut at the edges of the map; the cuts are no coast, so the coast line leaves them out.
function coast(geometry) {
  const edge = ([ax, ay], [bx, by]) =>
    (Math.abs(ax) > 179.99 && Math.abs(bx) > 179.99) || (ay < -89.9 && by < -89.9);
  const lines = [];
  for (const ring of geometry.coordinates.flat()) {
    let line = [ring[0]];
    for (let i = 1; i < ring.length; i += 1) {
      if (edge(ring[i - 1], ring[i])) {
        if (line.length > 1) lines.push(line);
        line = [];
      }
      line.push(ring[i]);
    }
    if (line.length > 1) lines.push(line);
  }
  return { type: "MultiLineString", coordinates: lines };
}

function landFeatures(geometry) {
  const [land, shore] = [geometry, coast(geometry)].map((each) => new Feature(geojson.readGeometry(each)));
  land.set("role", "land");
  shore.set("role", "coast");
  return [land, shore];
}

// --- where to look ----------------------------------------------------------------------------------------------------

// A track over 180 degrees is cut there, and its plain extent is the whole world. Look instead across the widest gap in
// longitude that holds nothing: the extent begins where that gap ends, and may run past 180.
export function extentOf(points) {
  if (!points.length) return undefined;
  const longitudes = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const latitudes = points.map(([, y]) => Math.max(-84, Math.min(84, y)));
  let west = longitudes[0];
  let gap = west + 360 - longitudes[longitudes.length - 1];
  for (let i = 1; i < longitudes.length; i += 1) {
    const between = longitudes[i] - longitudes[i - 1];
    if (between > gap) [gap, west] = [between, longitudes[i]];
  }
  const [south, north] = latitudes.reduce(([low, high], y) => [Math.min(low, y), Math.max(high, y)], [90, -90]);
  return [west, south, west + 360 - gap, north];
}

function lines(json) {
  if (!json) return [];
  if (json.type === "FeatureCollection") return json.features.flatMap(lines);
  if (json.type === "Feature") return lines(json.geometry);
  if (json.type === "GeometryCollection") return json.geometries.flatMap(lines);
  if (json.type === "LineString") return [json.coordinates];
  if (json.type === "MultiLineString") return json.coordinates;
  if (json.type === "MultiPolygon") return coast(json).coordinates;
  return [];
}

// --- styles -------------------------------------------------------------------------------------------------------------

function landStyle(colours) {
  const land = new Style({
    fill: new Fill({ color: colours.land }),
    stroke: new Stroke({ color: colours.land, width: 1 }), // hides the hair between two worlds at 180
  });
  const shore = new Style({ stroke: new Stroke({ color: colours.coast, width: 0.9 }) });
  return (feature) => (feature.get("role") === "land" ? land : shore);
}

function trackStyle(colours) {
  const line = [
    new Style({ stroke: new Stroke({ color: colours.halo, width: 5 }), zIndex: 1 }),
    new Style({ stroke: new Stroke({ color: colours.track, width: 2.5 }), zIndex: 2 }),
  ];
  const fill = (color) => new Fill({ color });
  const ring = (color, width) => new Stroke({ color, width });
  const start = [
    new Style({ image: new Circle({ radius: 9, fill: fill(colours.halo) }), zIndex: 3 }),
    new Style({ image: new Circle({ radius: 6, fill: fill(colours.halo), stroke: ring(colours.track, 3) }), zIndex: 4 }),
  ];
  const square = { points: 4, angle: Math.PI / 4 };
  const end = [
    new Style({ image: new RegularShape({ ...square, radius: 11, fill: fill(colours.halo) }), zIndex: 3 }),
    new Style({ image: new RegularShape({ ...square, radius: 8, fill: fill(colours.track) }), zIndex: 4 }),
  ];
  const styles = { start, end };
  return (feature) => styles[feature.get("role")] ?? line;
}

function eventStyle(colours, chosen) {
  const dot = new Style({
    image: new Circle({
      radius: 4.5,
      fill: new Fill({ color: colours.event }),
      stroke: new Stroke({ color: colours.halo, width: 1.5 }),
    }),
  });
  const big = [
    new Style({ image: new Circle({ radius: 11, fill: new Fill({ color: colours.halo }) }), zIndex: 8 }),
    new Style({
      image: new Circle({
        radius: 6,
        fill: new Fill({ color: colours.event }),
        stroke: new Stroke({ color: colours.event, width: 1 }),
      }),
      zIndex: 9,
    }),
    new Style({
      image: new Circle({ radius: 10, stroke: new Stroke({ color: colours.event, width: 2 }) }),
      zIndex: 9,
    }),
  ];
  const crowds = {}; // several events in one place: a larger dot with their number
  const crowd = (count) => {
    const radius = Math.min(18, Math.round(7 + 1.6 * Math.log2(count)));
    crowds[count] ??= new Style({
      image: new Circle({
        radius,
        fill: new Fill({ color: colours.halo }),
        stroke: new Stroke({ color: colours.event, width: 2 }),
      }),
      text: new Text({
        text: count < 1000 ? String(count) : `${Math.round(count / 100) / 10}k`,
        font: `600 11px ${colours.font}`,
        fill: new Fill({ color: colours.event }),
      }),
    });
    return crowds[count];
  };
  return (feature) => {
    if (feature === chosen()) return big;
    return feature.get("count") > 1 ? crowd(feature.get("count")) : dot;
  };
}

function degrees(degree, [positive, negative]) {
  const value = ((((degree + 180) % 360) + 360) % 360) - 180; // a map across 180 counts on
  const size = Math.abs(value);
  const whole = Math.floor(size + 1e-6);
  const minutes = Math.round((size - whole) * 60);
  const side = size < 1e-6 || Math.abs(size - 180) < 1e-6 ? "" : ` ${value > 0 ? positive : negative}`;
  return `${whole}°${minutes > 0 ? ` ${minutes}′` : ""}${side}`;
}

function graticule(colours) {
  const label = (extra) =>
    new Text({
      font: `12px ${colours.font}`,
      fill: new Fill({ color: colours.label }),
      stroke: new Stroke({ color: colours.water, width: 3 }),
      ...extra,
    });
  return new Graticule({
    strokeStyle: new Stroke({ color: colours.grid, width: 1 }),
    showLabels: true,
    targetSize: 140,
    maxLines: 60,
    lonLabelFormatter: (value) => degrees(value, "EW"),
    latLabelFormatter: (value) => degrees(value, "NS"),
    lonLabelPosition: 1,
    latLabelPosition: 1,
    lonLabelStyle: label({ textBaseline: "top", offsetY: 4 }),
    latLabelStyle: label({ textAlign: "end", textBaseline: "bottom", offsetX: -6, offsetY: -2 }),
    zIndex: 1,
  });
}

// --- events: a popup, and two buttons that walk through them, since a drawing takes no focus -----------------------------

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function safeUrl(text) {
  try {
    const url = new URL(text, location.href);
    return ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function describe(feature, thing) {
  const parts = [element("h3", "", String(feature.get("label") ?? initial(thing)))];
  const time = feature.get("time");
  if (time) {
    const instant = new Date(time);
    const shown = Number.isNaN(+instant) ? String(time) : `${instant.toISOString().slice(0, 19).replace("T", " ")} UTC`;
    const line = element("p");
    line.append(element("time", "", shown));
    parts.push(line);
  }
  if (feature.get("note")) parts.push(element("p", "", String(feature.get("note"))));
  const url = feature.get("url") && safeUrl(feature.get("url"));
  if (url) {
    const link = element("a", "", thing === "event" ? "Open in the log" : `Open the ${thing}`);
    link.href = url;
    const line = element("p");
    line.append(link);
    parts.push(line);
  }
  return parts;
}

const initial = (word) => word[0].toUpperCase() + word.slice(1);

function walker(map, features, redraw) {
  const thing = map.getTargetElement().dataset.thing ?? "event";
  let index = -1;
  const popup = element("div", "map-popup");
  popup.setAttribute("role", "group");
  popup.setAttribute("aria-label", initial(thing));
  const words = element("div");
  words.setAttribute("aria-live", "polite");
  const close = element("button", "close", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Close");
  popup.append(words, close);
  popup.hidden = true;
  const overlay = new Overlay({ element: popup, stopEvent: true, positioning: "bottom-center" });
  map.addOverlay(overlay);

  const box = element("div", "map-events ol-control");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `Walk through the ${thing}s`);
  const [back, next] = [["‹", `${initial(thing)} before`], ["›", `Next ${thing}`]].map(([sign, name]) => {
    const button = element("button", "", sign);
    button.type = "button";
    button.setAttribute("aria-label", name);
    return button;
  });
  const said = element("output");
  box.append(back, said, next);
  map.addControl(new Control({ element: box }));

  function show(to, { at, move = true } = {}) {
    index = to;
    const feature = features[index];
    said.textContent = feature ? `${index + 1} of ${features.length}` : `${features.length} ${thing}s`;
    popup.hidden = !feature;
    if (feature) {
      words.replaceChildren(...describe(feature, thing));
      const position = at ?? nearest(feature.getGeometry().getCoordinates(), map);
      overlay.setPosition(position);
      if (move) reveal(map, position);
    } else {
      overlay.setPosition(undefined);
    }
    redraw();
  }
  back.addEventListener("click", () => show((index < 1 ? features.length : index) - 1));
  next.addEventListener("click", () => show((index + 1) % features.length));
  close.addEventListener("click", () => {
    show(-1);
    next.focus();
  });
  map.getTargetElement().addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || index < 0) return;
    const inside = popup.contains(document.activeElement);
    show(-1);
    if (inside) next.focus();
  });
  map.on("singleclick", (event) => {
    const hit = map.forEachFeatureAtPixel(event.pixel, (feature) => (features.includes(feature) ? feature : undefined), {
      hitTolerance: 8,
    });
    if (hit) show(features.indexOf(hit), { at: wrap(hit.getGeometry().getCoordinates(), event.coordinate[0]) });
    else if (index >= 0) show(-1);
  });
  show(-1);
  return { chosen: () => features[index] };
}

const WORLD = 2 * 20037508.342789244;

function wrap([x, y], near) {
  return [x + WORLD * Math.round((near - x) / WORLD), y];
}

function nearest(coordinate, map) {
  return wrap(coordinate, map.getView().getCenter()[0]);
}

// Moves the map only when the event or its popup would lie outside it.
function reveal(map, coordinate) {
  const [width, height] = map.getSize();
  const pixel = map.getPixelFromCoordinate(coordinate);
  const inside = pixel && pixel[0] > 150 && pixel[0] < width - 150 && pixel[1] > 190 && pixel[1] < height - 30;
  if (inside) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const center = [coordinate[0], coordinate[1] + map.getView().getResolution() * Math.min(60, height / 6)];
  if (calm) map.getView().setCenter(center);
  else map.getView().animate({ center, duration: 250 });
}

// --- the map --------------------------------------------------------------------------------------------------------------

async function draw(container) {
  const { land, landFine, track, events, label } = container.dataset;
  const [landJson, trackJson, eventJson] = await Promise.all([land, track, events].map((url) => url && fetchJson(url)));

  const landSource = new VectorSource({ features: landJson ? landFeatures(landJson) : [] });
  const trackSource = new VectorSource();
  const tracks = lines(trackJson).filter((line) => line.length);
  for (const coordinates of tracks) {
    trackSource.addFeature(new Feature(geojson.readGeometry({ type: "LineString", coordinates })));
  }
  if (tracks.length && !container.dataset.plain) {
    const last = tracks[tracks.length - 1];
    for (const [role, place] of [["end", last[last.length - 1]], ["start", tracks[0][0]]]) {
      trackSource.addFeature(new Feature({ geometry: new Point(fromLonLat(place)), role }));
    }
  }
  const eventFeatures = eventJson
    ? geojson.readFeatures(eventJson).filter((feature) => feature.getGeometry()?.getType() === "Point")
    : [];
  const eventSource = new VectorSource({ features: eventFeatures });

  const fallback = [...container.childNodes];
  container.replaceChildren();
  container.classList.add("drawn");
  container.tabIndex = 0;
  container.setAttribute("role", "region");
  container.setAttribute("aria-label", `${label ?? "Map of the track"}. Arrow keys move it, plus and minus zoom.`);

  const layers = {
    land: new VectorLayer({ source: landSource, zIndex: 0, updateWhileAnimating: true, updateWhileInteracting: true }),
    track: new VectorLayer({ source: trackSource, zIndex: 2, updateWhileAnimating: true, updateWhileInteracting: true }),
    events: new VectorLayer({ source: eventSource, zIndex: 3, updateWhileAnimating: true }),
  };
  let map;
  try {
    map = new Map({
      target: container,
      layers: Object.values(layers),
      controls: [
        new Zoom({ zoomInTipLabel: "Zoom in", zoomOutTipLabel: "Zoom out" }),
        new ScaleLine({ units: "nautical", minWidth: 72 }),
        new Attribution({ collapsible: false }),
      ],
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false, onFocusOnly: true }),
      view: new View({ center: [0, 0], zoom: 1, minZoom: 0, maxZoom: 14, enableRotation: false }),
    });
  } catch (error) {
    container.replaceChildren(...fallback);
    container.classList.remove("drawn");
    throw error;
  }
  landSource.setAttributions("Natural Earth");
  // Wheel and finger belong to the page until the map is pressed; a mouse that presses it means it.
  container.addEventListener(
    "pointerdown",
    (event) => {
      const onMap = event.pointerType === "mouse" && event.target.closest(".ol-layers");
      if (onMap && !container.contains(document.activeElement)) container.focus({ preventScroll: true });
    },
    { capture: true },
  );

  const { chosen } = eventFeatures.length
    ? walker(map, eventFeatures, () => layers.events.changed())
    : { chosen: () => undefined };

  let grid;
  const paint = () => {
    const colours = palette(container);
    layers.land.setStyle(landStyle(colours));
    layers.track.setStyle(trackStyle(colours));
    layers.events.setStyle(eventStyle(colours, chosen));
    if (grid) map.removeLayer(grid);
    map.addLayer((grid = graticule(colours)));
  };
  paint();
  document.addEventListener("themechange", paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  const points = tracks.length ? tracks.flat() : eventPoints(eventJson);
  const extent = extentOf(points) ?? [-170, -62, 190, 74];
  const fit = () =>
    map.getView().fit(transformExtent(extent, "EPSG:4326", "EPSG:3857"), {
      padding: points.length ? [48, 48, 48, 48] : [0, 0, 0, 0],
      maxZoom: 9,
    });
  fit();

  if (landFine) {
    const refine = async () => {
      if (map.getView().getZoom() < FINE_ZOOM) return;
      map.un("moveend", refine);
      try {
        const features = landFeatures(await fetchJson(landFine));
        landSource.clear();
        landSource.addFeatures(features);
      } catch {
        map.on("moveend", refine); // the coarse land stays; the next move tries again
      }
    };
    map.on("moveend", refine);
  }
  container.dispatchEvent(new CustomEvent("mapdrawn", { bubbles: true, detail: map }));
}

function eventPoints(json) {
  if (!json) return [];
  if (json.type === "FeatureCollection") return json.features.flatMap(eventPoints);
  if (json.type === "Feature") return eventPoints(json.geometry);
  return json.type === "Point" ? [json.coordinates] : [];
}

for (const container of document.querySelectorAll(".map[data-track], .map[data-events], .map[data-land]")) {
  draw(container).catch((error) => {
    console.error(error);
    const words = element("p", "notice warn", "The map could not be drawn. Load the page again, or use the table instead.");
    container.append(words);
  });
}
