// The camera, live, where the browser gives it to a page: on this machine, or behind https.
const $ = (id) => document.getElementById(id);

export function offerCamera(send, say) {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) {
    $("camera-hint").textContent = "The live camera is there on https or localhost only: browsers ask for that.";
    return;
  }
  const video = $("video");
  $("camera").hidden = false;

  function stop() {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    $("live").hidden = true;
    $("camera").focus();
  }

  $("camera").addEventListener("click", async () => {
    try {
      video.srcObject = await devices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      return say(`The camera cannot be used (${error.name}): choose a picture instead.`, true);
    }
    $("live").hidden = false;
    $("take").focus();
  });
  $("take").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((picture) => picture && send(picture), "image/jpeg", 0.92);
  });
  $("leave").addEventListener("click", stop);
}
