/** What runs on the page to watch: hls.js where the browser lets it, else the browser's own HLS. */
export const WATCH_SCRIPT = `'use strict';
(() => {
  const main = document.querySelector('main');
  const video = document.getElementById('video');
  const source = main.dataset.source;
  const RETRY_MS = 2000;
  const FOLLOW_S = 4;
  let hls;
  let following = true;
  let last = 0;

  const show = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };
  const state = (name, text) => {
    main.dataset.state = name;
    show('state', text);
  };
  const play = () => video.play().catch(() => state('paused', 'Ready: press play'));

  function start() {
    following = true;
    if (window.Hls && Hls.isSupported()) startHls();
    else if (video.canPlayType('application/vnd.apple.mpegurl')) startNative();
    else state('failed', 'This browser cannot play HLS.');
  }

  function startHls() {
    if (hls) hls.destroy();
    last = 0;
    // No backBufferLength: where old media is taken away while a part is loaded, hls.js (1.7.4) takes the parts of that segment
    // for missing, and stands still for seconds. Browsers make room by themselves.
    hls = new Hls({
      enableWorker: false,
      lowLatencyMode: true,
      maxLiveSyncPlaybackRate: 1.1,
      liveDurationInfinity: true,
    });
    window.player = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, play);
    hls.on(Hls.Events.ERROR, (_, data) => failed(data));
    hls.loadSource(source);
    hls.attachMedia(video);
  }

  function failed(data) {
    if (!data.fatal) return;
    const missing = data.response && data.response.code === 404;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) return hls.recoverMediaError();
    state('waiting', missing ? 'Nobody is publishing here. Waiting…' : 'The connection broke. Trying again…');
    hls.destroy();
    hls = undefined;
    setTimeout(start, RETRY_MS);
  }

  function startNative() {
    video.src = source;
    video.addEventListener('loadedmetadata', play, { once: true });
    video.addEventListener('error', () => {
      state('waiting', 'Nobody is publishing here. Waiting…');
      setTimeout(startNative, RETRY_MS);
    }, { once: true });
  }

  // A playlist that says so does not go on: another publisher gets another.
  async function isOver() {
    const master = await fetch(source);
    if (!master.ok) return false;
    const first = (await master.text()).split('\\n').find((line) => line && !line.startsWith('#'));
    const media = await fetch(new URL(first, master.url));
    return media.ok && (await media.text()).includes('#EXT-X-ENDLIST');
  }

  async function startAgain() {
    if (await isOver().catch(() => true)) setTimeout(startAgain, RETRY_MS);
    else start();
  }

  const seconds = (value) => (Number.isFinite(value) ? value.toFixed(1) + ' s' : '–');

  function edge() {
    if (hls && hls.liveSyncPosition) return hls.liveSyncPosition;
    return video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) - 3 : undefined;
  }

  function behind() {
    const date = hls && hls.playingDate;
    return date ? (Date.now() - date.getTime()) / 1000 : hls ? hls.latency : NaN;
  }

  // After a stall, back to where it is live; not for a viewer who paused or went back to see something again.
  function follow() {
    if (video.currentTime < last - 0.5) following = false;
    last = video.currentTime;
    const target = hls && hls.liveSyncPosition;
    if (!target || video.paused || !following || target - video.currentTime < FOLLOW_S) return;
    video.currentTime = target;
    last = target;
  }

  function update() {
    follow();
    const level = hls && hls.levels && hls.levels[Math.max(0, hls.currentLevel)];
    const ranges = video.buffered;
    show('latency', video.currentTime > 0 ? seconds(behind()) : '–');
    show('buffer', ranges.length > 0 ? seconds(Math.max(0, ranges.end(ranges.length - 1) - video.currentTime)) : '–');
    show('bitrate', level ? (level.bitrate / 1e6).toFixed(2) + ' Mbit/s' : '–');
    show('size', video.videoWidth > 0 ? video.videoWidth + ' × ' + video.videoHeight : '–');
    show('codec', level ? [level.videoCodec, level.audioCodec].filter(Boolean).join(', ') : '–');
    const quality = video.getVideoPlaybackQuality && video.getVideoPlaybackQuality();
    show('dropped', quality ? String(quality.droppedVideoFrames) : '–');
    const target = edge();
    document.getElementById('edge').hidden = target === undefined || target - video.currentTime < 5;
    if (!hls && window.Hls && Hls.isSupported()) return;
    if (video.paused && main.dataset.state === 'live') state('paused', 'Paused');
    else if (!video.paused && video.readyState > 2) state('live', 'Live');
    else if (!video.paused && main.dataset.state === 'live') state('waiting', 'Waiting for the publisher…');
  }

  const sound = document.getElementById('sound');
  const showSound = () => {
    sound.textContent = video.muted ? 'Sound on' : 'Sound off';
  };
  sound.addEventListener('click', () => {
    video.muted = !video.muted;
  });
  video.addEventListener('volumechange', showSound);
  video.addEventListener('pause', () => {
    following = false;
  });
  video.addEventListener('seeked', () => {
    const live = edge();
    if (live !== undefined && live - video.currentTime < 2) following = true;
  });
  video.addEventListener('ended', () => {
    state('waiting', 'The stream has ended. Waiting for the next…');
    setTimeout(startAgain, RETRY_MS);
  });
  document.getElementById('edge').addEventListener('click', () => {
    const target = edge();
    if (target !== undefined) video.currentTime = target;
    following = true;
    last = video.currentTime;
    play();
  });
  showSound();
  start();
  setInterval(update, 500);
})();
`;
