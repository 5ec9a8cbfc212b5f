// Makes the third-party static files from their npm packages:  node build.mjs OUTDIR
//
//   OUTDIR/vendor/ol.js, ol.css      OpenLayers, cut down to what openlayers.mjs names
//   OUTDIR/vendor/land-110m.json     land as one GeoJSON MultiPolygon, cut at 180 degrees for flat maps
//   OUTDIR/vendor/land-50m.json      the same, finer
//   OUTDIR/vendor/icons.svg          the sprite: <use href="…/icons.svg#icon-ship">
//   OUTDIR/vendor/LICENSES.txt       the licence texts of all of these
//   OUTDIR/test/axe.min.js           for the accessibility tests (absent after `npm ci --omit=dev`)
//
// Needs `npm ci` in this folder, and no network. The same packages give the same bytes.

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGES = join(HERE, "node_modules");

// name in the sprite (icon-NAME) -> name in the icon set, where it differs
const RENAMED = {
  close: "x",
  comment: "message-square",
  delete: "trash-2",
  deploy: "arrow-down-to-line",
  edit: "pencil",
  error: "octagon-alert",
  filter: "list-filter",
  help: "circle-question-mark",
  hold: "lock",
  more: "ellipsis",
  night: "moon-star",
  offline: "wifi-off",
  online: "wifi",
  operator: "building-2",
  orders: "clipboard-list",
  person: "user",
  people: "users",
  position: "map-pin",
  recover: "arrow-up-from-line",
  refresh: "refresh-cw",
  release: "lock-open",
  sample: "test-tube",
  sign: "pen-line",
  stop: "square",
  track: "route",
  undo: "undo-2",
  warning: "triangle-alert",
};
const SAME = `
  activity anchor archive arrow-left arrow-right arrow-up-right award badge-check bell book-open calendar camera check
  chevron-down chevron-left chevron-right chevron-up clock compass contrast copy database download eye external-link
  file file-check file-text files fish flag folder folder-open gauge git-compare globe hard-drive history inbox info
  key layers life-buoy link list-checks log-in log-out mail map menu monitor moon notebook-pen package package-check
  paperclip play plus printer quote rss search send settings shield-check ship sun table tag thermometer upload waves
  wind`;

class Problem extends Error {}

async function main() {
  const outdir = process.argv[2];
  if (!outdir || process.argv.length > 3 || outdir.startsWith("-")) {
    throw new Problem("Say where to: node build.mjs OUTDIR");
  }
  if (!existsSync(PACKAGES)) {
    throw new Problem(`The packages are not installed. Run "npm ci" in ${HERE} first.`);
  }
  const vendor = join(resolve(outdir), "vendor");
  await mkdir(vendor, { recursive: true });
  const made = [
    ...(await openlayers(vendor)), // first: it finds out what is bundled
    await land(vendor, "110m", 3),
    await land(vendor, "50m", 3),
    await icons(vendor),
    await licences(vendor),
    await axe(join(resolve(outdir), "test")),
  ];
  for (const [path, size] of made.filter(Boolean)) console.log(`${String(size).padStart(9)}  ${path}`);
}

const bundled = new Set(["lucide-static", "world-atlas"]);

async function openlayers(vendor) {
  const esbuild = await load("esbuild");
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: ["openlayers.mjs"],
    bundle: true,
    format: "esm",
    target: "es2020",
    minify: true,
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  for (const path of Object.keys(metafile.inputs)) {
    const inside = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (inside) bundled.add(inside[1]);
  }
  const css = await esbuild.transform(await text("ol/ol.css"), { loader: "css", minify: true });
  return [
    await write(join(vendor, "ol.js"), `/* OpenLayers ${await version("ol")}: see LICENSES.txt */\n${outputFiles[0].text}`),
    await write(join(vendor, "ol.css"), css.code),
  ];
}

// world-atlas stitches its polygons over the antimeridian and the poles for round maps. Projecting them onto a plate
// carrée whose unit is the degree cuts them there again, so that flat maps and GIS programs draw them right. The
// projection's y points down (turned up in it, the Caspian Sea would pass for land); tidy() turns it up.
async function land(vendor, resolution, decimals) {
  const { feature } = await load("topojson-client");
  const { geoEquirectangular } = await load("d3-geo");
  const { geoProject } = await load("d3-geo-projection");
  const world = JSON.parse(await text(`world-atlas/land-${resolution}.json`));
  const degrees = geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).precision(0);
  const projected = geoProject(feature(world, world.objects.land), degrees);
  const polygons = projected.features
    .flatMap(({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates))
    .map((rings) => rings.map((ring) => tidy(ring, decimals)).filter((ring) => ring.length >= 4 && area(ring)))
    .filter((rings) => rings.length)
    .map((rings) => rings.map((ring, i) => (area(ring) > 0 === (i === 0) ? ring : ring.reverse())));
  if (!polygons.length) throw new Problem(`world-atlas ${resolution} holds no land.`);
  const geometry = { type: "MultiPolygon", coordinates: polygons };
  return write(join(vendor, `land-${resolution}.json`), JSON.stringify(geometry) + "\n");
}

// Rounds a ring, closes it, and takes out what the cut leaves behind: points said twice, and spikes that run out along
// the edge of the map and straight back.
function tidy(ring, decimals) {
  const unit = 10 ** decimals;
  const round = (value, limit) => Math.max(-limit, Math.min(limit, Math.round(value * unit) / unit)) + 0;
  let points = ring.slice(0, -1).map(([x, y]) => [round(x, 180), round(-y, 90)]);
  for (let before = Infinity; points.length < before; ) {
    before = points.length;
    points = points.filter((point, i) => !idle(points[(i || before) - 1], point, points[(i + 1) % before]));
  }
  return points.length ? [...points, points[0]] : [];
}

function idle([ax, ay], [bx, by], [cx, cy]) {
  const [ux, uy, vx, vy] = [bx - ax, by - ay, cx - bx, cy - by];
  return (!ux && !uy) || (Math.abs(ux * vy - uy * vx) < 1e-12 && ux * vx + uy * vy < 0);
}

function area(ring) {
  return ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i][0] * y - x * ring[i][1], 0) / 2;
}

async function icons(vendor) {
  const names = { ...RENAMED, ...Object.fromEntries(SAME.trim().split(/\s+/).map((name) => [name, name])) };
  const symbols = [];
  for (const [name, source] of Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const drawing = (await text(`lucide-static/icons/${source}.svg`)).match(/<svg[^>]*>([\s\S]*)<\/svg>/);
    if (!drawing) throw new Problem(`The icon ${source} is not an SVG drawing.`);
    const shapes = drawing[1].trim().replace(/\s*\n\s*/g, "");
    symbols.push(`<symbol id="icon-${name}" viewBox="0 0 24 24">${shapes}</symbol>`);
  }
  const head = `<!-- Lucide ${await version("lucide-static")}: see LICENSES.txt -->`;
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${head}\n${symbols.join("\n")}\n</svg>\n`;
  return write(join(vendor, "icons.svg"), sprite);
}

async function licences(vendor) {
  const parts = [];
  for (const name of [...bundled].sort()) {
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((each) => existsSync(join(PACKAGES, name, each)));
    const body = file ? (await text(`${name}/${file}`)).trim() : `Licence: ${(await about(name)).license}`;
    parts.push(`${name} ${await version(name)}\n\n${body}\n`);
  }
  parts.push("land-110m.json, land-50m.json\n\nMade with Natural Earth, which is in the public domain.\n");
  return write(join(vendor, "LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
}

async function axe(folder) {
  if (!existsSync(join(PACKAGES, "axe-core"))) return undefined;
  await mkdir(folder, { recursive: true });
  return write(join(folder, "axe.min.js"), await text("axe-core/axe.min.js"));
}

async function load(name) {
  try {
    return await import(name);
  } catch (error) {
    throw new Problem(`The package ${name} does not load (${error.code ?? error.message}). Run "npm ci" in ${HERE}.`);
  }
}

async function text(path) {
  try {
    return await readFile(join(PACKAGES, path), "utf8");
  } catch (error) {
    throw new Problem(`${path} is missing among the packages (${error.code}). Run "npm ci" in ${HERE}.`);
  }
}

async function about(name) {
  return JSON.parse(await text(`${name}/package.json`));
}

async function version(name) {
  return (await about(name)).version;
}

// A source map's address would send Django's manifest storage looking for a file that is not served.
async function write(path, content) {
  const clean = content.replace(/\n?\/[/*]# sourceMappingURL=.*/g, "");
  await writeFile(path, clean);
  return [path, Buffer.byteLength(clean)];
}

main().catch((error) => {
  console.error(error instanceof Problem ? error.message : error);
  process.exitCode = 1;
});
