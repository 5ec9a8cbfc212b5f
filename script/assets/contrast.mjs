// Checks the colours of leadline.css:  node contrast.mjs
// Text 4.5:1 on every ground it may stand on, focus rings and the edges of controls 3:1, in all three themes; the two
// dark blocks say the same; night lights the red channel only.

import { readFileSync } from "node:fs";

const css = readFileSync(new URL("../../portal/static/portal/leadline.css", import.meta.url), "utf8");

const GROUNDS = ["surface", "raised"];
const TEXT = [
  ["text", [...GROUNDS, "sunken", "accent-soft", "good-soft", "warn-soft", "bad-soft", "held-soft"]],
  ["muted", [...GROUNDS, "sunken"]],
  ["accent", [...GROUNDS, "accent-soft"]],
  ["accent-strong", [...GROUNDS, "accent-soft"]],
  ["bad-strong", [...GROUNDS, "bad-soft"]],
  ...["good", "warn", "bad", "held"].map((role) => [role, [...GROUNDS, `${role}-soft`]]),
  ...["accent", "good", "warn", "bad", "held"].map((role) => [`on-${role}`, [role]]),
  ["on-accent", ["accent-strong"]],
  ["on-bad", ["bad-strong"]],
  ["on-deep", ["deep", "deep-line"]],
  ["on-deep-muted", ["deep"]],
  ["brand", ["raised"]],
];
const SHAPES = [
  ["focus", [...GROUNDS, "sunken", "accent-soft"]],
  ["on-deep-focus", ["deep"]],
  ["line-strong", GROUNDS],
  ["map-track", ["map-water", "map-land"]],
  ["map-event", ["map-water", "map-land"]],
];

function block(start) {
  const from = css.indexOf(start);
  if (from < 0) throw new Error(`leadline.css has no ${start}`);
  const body = css.slice(css.indexOf("{", from) + 1, css.indexOf("}", from));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));
}

function luminance(colour) {
  const [red, green, blue] = colour.match(/[0-9a-f]{2}/gi).map((pair) => {
    const share = parseInt(pair, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const themes = {
  light: block(":root {\n  color-scheme: light"),
  dark: block(':root[data-theme="dark"] {'),
  night: block(':root[data-theme="night"] {'),
};
const faults = [];
let checked = 0;
for (const [theme, tokens] of Object.entries(themes)) {
  for (const [pairs, least] of [[TEXT, 4.5], [SHAPES, 3]]) {
    for (const [role, grounds] of pairs) {
      for (const ground of grounds) {
        checked += 1;
        const ratio = contrast(tokens[role], tokens[ground]);
        if (ratio < least) faults.push(`${theme}: ${role} on ${ground} is ${ratio.toFixed(2)}:1, needs ${least}:1`);
      }
    }
  }
}
const followed = block(':root:not([data-theme="light"], [data-theme="night"]) {');
for (const name of new Set([...Object.keys(followed), ...Object.keys(themes.dark)])) {
  checked += 1;
  if (followed[name] !== themes.dark[name]) faults.push(`dark: --${name} differs between the two dark blocks`);
}
for (const [name, value] of Object.entries(themes.night)) {
  for (const [colour] of value.matchAll(/(?:#|%23)[0-9a-f]{6}\b/gi)) {
    checked += 1;
    if (!colour.endsWith("0000")) faults.push(`night: --${name} (${colour}) lights more than red`);
  }
}
for (const fault of faults) console.error(fault);
console.log(`${checked - faults.length} passed, ${faults.length} failed`);
process.exitCode = faults.length ? 1 : 0;
