// An answer, shown: what the models saw, every class with its probability, and how long it took.
import { visible } from "/text.js";

const $ = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const time = (ms) => (ms < 1 ? `${Math.round(1000 * ms)} µs` : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`);

const ALWAYS = "A model always answers one of its classes, whatever the picture shows.";
const REFUSES = "One in twenty pictures of these classes is wrongly called none of these; "
  + "much that looks like one of them is not found out.";

function element(name, words, className = "") {
  const made = document.createElement(name);
  made.textContent = visible(words);
  if (className) made.className = className;
  return made;
}

function showSeen(seen) {
  const [height, width, channels] = seen.shape;
  const bytes = Uint8Array.from(atob(seen.base64), (character) => character.charCodeAt(0));
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let color = 0; color < 3; color++) {
      image.data[4 * pixel + color] = bytes[channels * pixel + (channels === 1 ? 0 : color)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  const canvas = $("seen");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function share(value) {
  const cell = document.createElement("td");
  const line = element("div", "", "share");
  const track = element("div", "", "track");
  const bar = element("div", "", "bar");
  bar.style.width = `${100 * value}%`;
  track.append(bar);
  track.setAttribute("aria-hidden", "true");
  line.append(track, element("span", percent(value), "percent"));
  cell.append(line);
  return cell;
}

function showClasses(classes, models, names) {
  const header = element("th", "Class");
  $("names").replaceChildren(header, ...names.map((name) => element("th", name)));
  for (const cell of $("names").children) cell.scope = "col";
  const order = classes.map((_, label) => label);
  order.sort((one, other) => models[0].probabilities[other] - models[0].probabilities[one] || one - other);
  $("rows").replaceChildren(...order.map((label) => {
    const row = document.createElement("tr");
    const name = element("th", classes[label]);
    name.scope = "row";
    row.append(name, ...models.map((model) => share(model.probabilities[label])));
    return row;
  }));
  $("classes").classList.toggle("two", models.length > 1);
}

// Shows it, and gives what there is to say of it in a line.
export function showAnswer(answer, about, wholeMs) {
  const names = about.models.map((each) => each.precision ?? each.file);
  showSeen(answer.seen);
  $("steps").textContent = answer.picture.steps;
  showClasses(answer.classes, answer.models, names);
  const times = answer.models.map((model, index) =>
    [`inference, ${names[index]}`, time(model.inference_us / 1000)]);
  times.push(["decoding and fitting", time(answer.picture.us / 1000)], ["the whole way", time(wholeMs)]);
  $("times").replaceChildren(...times.flatMap(([what, long]) => [element("dt", what), element("dd", long)]));
  $("doubt").textContent = answer.models.every((model) => model.none_of_these === null) ? ALWAYS : REFUSES;
  const said = answer.models.map((model) => {
    const guess = `${visible(model.class)}, ${percent(model.probabilities[model.label])}`;
    return model.none_of_these ? `None of these (closest: ${guess})` : guess;
  });
  return said.length === 1 ? said[0] : said.map((words, index) => `${names[index]}: ${words}`).join(" · ");
}
