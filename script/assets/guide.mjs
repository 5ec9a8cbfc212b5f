// Serves the style guide as the real site would, with its content security policy:  node guide.mjs OUTDIR [PORT]
// OUTDIR is what build.mjs made. guide.html shows the parts; guide/*.html are whole pages made of them.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const [outdir, port = "8099"] = process.argv.slice(2);
if (!outdir) {
  console.error("Say where build.mjs put its files: node guide.mjs OUTDIR [PORT]");
  process.exit(1);
}
const ROOTS = [
  ["/static/portal/", join(HERE, "../../portal/static/portal")],
  ["/static/", resolve(outdir)],
  ["/guide/", join(HERE, "guide")],
  ["/", HERE],
];
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
  "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'";

// <!--#head Title | nav--> and <!--#foot--> stand for the page frame, which the site's base.html gives.
async function framed(page) {
  const part = (name) => readFile(join(HERE, "guide", name), "utf8");
  const [head, foot] = await Promise.all([part("_head.html"), part("_foot.html")]);
  return page
    .replace(/<!--#head (.*?)(?: \| (\w+))?-->/, (_, title, nav) =>
      head.replaceAll("TITLE", title).replace(/ data-nav="(\w+)"/g, (__, name) => (name === nav ? ' aria-current="page"' : "")))
    .replace("<!--#foot-->", foot);
}

createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  const wanted = path === "/" ? "/guide.html" : path;
  const [prefix, root] = ROOTS.find(([start]) => wanted.startsWith(start));
  const file = join(root, normalize(`/${wanted.slice(prefix.length)}`));
  try {
    let body = await readFile(file);
    if (extname(file) === ".html") body = await framed(body.toString());
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Content-Security-Policy": POLICY,
      "Cache-Control": "no-store",
    });
    response.end(body);
  } catch {
    response.writeHead(404, { "Content-Type": "text/plain" });
    response.end("Not found\n");
  }
}).listen(Number(port), "127.0.0.1", () => console.log(`The style guide is on port ${port}.`));
