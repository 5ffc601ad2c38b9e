/**
 * For the browser: `watchWhite(video, tell)` tells from now on when a white picture follows a dark one, with the times that
 * `requestVideoFrameCallback` has for it.
 */
export const WATCH_WHITE = `const watchWhite = (video, tell) => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  let wasWhite = true;
  const look = (_, times) => {
    pen.drawImage(video, 0, 0, 1, 1);
    const isWhite = pen.getImageData(0, 0, 1, 1).data[1] > 128;
    if (isWhite && !wasWhite) tell(times);
    wasWhite = isWhite;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};`;
