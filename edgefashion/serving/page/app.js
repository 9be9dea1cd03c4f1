// What the page does: pictures in, answers out. Names of classes and files are a stranger's: text, never HTML.
import { offerCamera } from "/camera.js";
import { offerPaper } from "/paper.js";
import { showAnswer } from "/answer.js";
import { visible } from "/text.js";

const $ = (id) => document.getElementById(id);
const shape = (sizes) => `${sizes[0]}×${sizes[1]}, ${sizes[2] === 1 ? "gray" : "RGB"}`;
let newest = 0;

function say(words, wrong = false) {
  $("status").textContent = words;
  $("status").classList.toggle("wrong", wrong);
}

async function ask(picture, about, drawn = false) {
  const mine = ++newest;
  if (picture.size > about.limits.body_bytes) {
    $("result").hidden = true;
    return say(`This picture has more than ${about.limits.body_bytes >> 20} MiB: make it smaller.`, true);
  }
  say("Asking…");
  const begin = performance.now();
  let answer;
  try {
    const response = await fetch("/predict?pixels=true", {
      method: "POST", body: picture, headers: { "Content-Type": picture.type || "application/octet-stream" },
    });
    answer = await response.json();
  } catch {
    answer = { error: "the server does not answer: is it still running?" };
  }
  if (mine !== newest) return; // a later picture has been sent meanwhile
  $("result").hidden = Boolean(answer.error);
  const wrong = answer.error?.replace(/^picture(?= )/, () => visible(picture.name ?? "this picture"));
  const words = wrong ?? showAnswer(answer, about, performance.now() - begin);
  say(words, Boolean(answer.error));
  $("drawn").textContent = drawn ? words : "";
  if (!drawn) $("answer").scrollIntoView({ block: "nearest" });
}

function offerFiles(send) {
  for (const input of [$("file"), $("photo")]) {
    input.addEventListener("change", () => {
      if (input.files[0]) send(input.files[0]);
      input.value = ""; // the same file may be chosen again
    });
  }
  $("photograph").hidden = !matchMedia("(pointer: coarse)").matches;
  const over = (event, is) => { event.preventDefault(); $("drop").classList.toggle("over", is); };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => over(event, false));
  document.addEventListener("drop", (event) => {
    over(event, false);
    const file = event.dataTransfer.files[0];
    if (file) send(file); else say("What was dropped is no file: save the picture first.", true);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) send(event.clipboardData.files[0]);
  });
}

async function begin() {
  let about;
  try {
    about = await (await fetch("/about.json")).json();
  } catch {
    return say("The server does not answer: is it still running?", true);
  }
  document.title = `${visible(about.model)} – edgefashion`;
  $("model").textContent = visible(about.model);
  const files = about.models.map((each) =>
    `${each.file} (${Math.round(each.bytes / 1000).toLocaleString("en")} kB, ${each.runtime} ${each.runtime_version})`);
  $("about").textContent = visible(`${about.task.name}: ${about.task.classes.length} classes, `
    + `pictures of ${shape(about.task.image_shape)}. ${files.join("; ")}`);
  $("curl").textContent = `curl --data-binary @picture.jpg ${location.origin}/predict`;
  const send = (picture) => ask(picture, about);
  offerFiles(send);
  offerCamera(send, say);
  if (about.paper !== null) offerPaper(about.paper, (picture) => ask(picture, about, true));
}

begin();
