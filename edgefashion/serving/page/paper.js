// Paper to draw on: bright on black, or dark on white, as the model's pictures are.
const $ = (id) => document.getElementById(id);
const PEN = 20;

export function offerPaper(gray, send) {
  const canvas = $("paper");
  const paper = canvas.getContext("2d");
  const ground = `rgb(${gray}, ${gray}, ${gray})`;
  const ink = gray > 127 ? "black" : "white";
  let last = null;

  function clear() {
    paper.fillStyle = ground;
    paper.fillRect(0, 0, canvas.width, canvas.height);
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  }

  function stroke(to) {
    Object.assign(paper, { strokeStyle: ink, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    paper.beginPath();
    paper.moveTo(...last);
    paper.lineTo(...to);
    paper.stroke();
    last = to;
  }

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    stroke(last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last) for (const each of event.getCoalescedEvents?.() ?? [event]) stroke(place(each));
  });
  const end = () => {
    if (last) canvas.toBlob((picture) => send(picture), "image/png");
    last = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  $("clear").addEventListener("click", clear);
  clear();
  $("drawing").hidden = false;
}
