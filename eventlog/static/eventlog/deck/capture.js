// Takes photos and voice notes in the sheet of an event.
import * as attachments from "./attachments.js";
import { h, icon, write } from "./dom.js";
import { log } from "./log.js";
import { toast } from "./toast.js";

const LONGEST = 10 * 60_000; // ms of one voice note
const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** The part of the sheet with the files of an event and the buttons to add some. */
export function capture(event) {
  const files = h("ul", { class: "files-list" });
  const draw = () => {
    const sent = [...log.attachments.values()].filter((each) => each.event === event && !each.struck);
    files.replaceChildren(
      ...sent.map((each) => h("li", {}, icon("paperclip"), h("a", { href: each.url ?? "#", target: "_blank", rel: "noopener" }, each.name), ` ${size(each.size)}`)),
      ...attachments.waiting(event).map((each) =>
        h(
          "li",
          { class: "waits" },
          icon(each.state === "refused" ? "warning" : "clock"),
          `${each.name} ${size(each.size)}, ${each.state === "refused" ? `refused: ${each.problem}` : "waiting"}`,
          each.state === "refused" && h("button", { type: "button", class: "button small", onclick: () => attachments.discard(each.uuid).then(draw) }, "Take it off the tablet"),
        ),
      ),
    );
  };
  const add = async (blob, name) => {
    const safe = await attachments.add(event, blob, name);
    draw();
    toast(safe ? `${name} is kept and will be sent.` : `${name} is in memory only: the disk is full.`, { tone: safe ? "good" : "warn", stays: 5000 });
  };
  const input = h("input", {
    type: "file",
    class: "unseen",
    accept: "image/*",
    capture: "environment",
    multiple: true,
    tabindex: "-1",
    "aria-hidden": "true",
    onchange: async () => {
      for (const file of input.files) await add(file, file.name || "photo.jpg");
      input.value = "";
    },
  });
  const buttons = [h("button", { type: "button", class: "button", onclick: () => input.click() }, icon("camera"), "Photo"), input];
  if (navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder) buttons.push(recorder(add));
  draw();
  attachments.onAttachments(() => files.isConnected && draw());
  return h("div", { class: "field capture", role: "group", "aria-label": "Photos and voice notes" }, h("div", { class: "actions" }, buttons), files);
}

// One button: begins, shows how long, ends. Browsers give a microphone to https and localhost only.
function recorder(add) {
  const word = h("span", {}, "Voice note");
  let running = null;
  const button = h("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => (running ? running.stop() : begin()) }, icon("comment"), word);
  async function begin() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      toast("The browser does not give the microphone. Allow it in the browser's settings of this page.", { tone: "warn" });
      return;
    }
    const type = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg"].find((each) => MediaRecorder.isTypeSupported(each));
    const parts = [];
    const since = performance.now();
    running = new MediaRecorder(stream, type ? { mimeType: type, audioBitsPerSecond: 32_000 } : {});
    running.ondataavailable = ({ data }) => data.size && parts.push(data);
    const tick = setInterval(() => {
      const seconds = Math.floor((performance.now() - since) / 1000);
      write(word, `Stop, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
      if (seconds * 1000 > LONGEST) running?.stop();
    }, 500);
    running.onstop = async () => {
      clearInterval(tick);
      running = null;
      for (const track of stream.getTracks()) track.stop();
      write(word, "Voice note");
      button.setAttribute("aria-pressed", "false");
      const blob = new Blob(parts, { type: (type ?? "audio/webm").split(";")[0] });
      if (blob.size) await add(blob, `voice.${blob.type.endsWith("mp4") ? "m4a" : blob.type.endsWith("ogg") ? "ogg" : "webm"}`);
    };
    running.start(1000);
    button.setAttribute("aria-pressed", "true");
  }
  return button;
}
