// The code of the link stands behind the #: no browser sends it by itself, and it leaves the address bar at once.
const code = location.hash.slice(1);
history.replaceState(null, '', location.pathname);

const byID = id => document.getElementById(id);
const say = text => { byID('said').textContent = text; };

async function ask(method, path, body) {
  const answer = await fetch('/api/v1' + path, {
    method, headers: {'Content-Type': 'application/json', 'Accept-Language': navigator.language}, body: body && JSON.stringify(body),
  });
  if (answer.ok) return answer;
  const problem = await answer.json();
  throw new Error([problem.title, problem.detail, problem.hint].filter(Boolean).join(' '));
}

const trying = work => async event => {
  event.preventDefault();
  say('');
  try { await work(); } catch (e) { say(e.message); }
};

byID('open').addEventListener('submit', trying(async () => {
  const given = byID('totp').value.trim();
  await ask('POST', '/former-sessions', /^\d{6}$/.test(given) ? {code, totp: given} : {code, recovery_code: given});
  opened();
}));

function opened() {
  byID('open').hidden = true;
  byID('lost').hidden = true;
  byID('opened').hidden = false;
}

let handedOver = '';
byID('enrol').addEventListener('submit', trying(async () => {
  handedOver = byID('half').value.trim();
  const made = await (await ask('POST', '/former-enrolments', {code, enrolment_code: handedOver})).json();
  byID('qr').src = 'data:image/png;base64,' + made.qr;
  byID('secret').textContent = made.secret;
  byID('enrol').hidden = true;
  byID('confirm').hidden = false;
}));

byID('confirm').addEventListener('submit', trying(async () => {
  const given = {code, enrolment_code: handedOver, totp: byID('six').value.trim()};
  const done = await (await ask('POST', '/former-enrolments/confirmation', given)).json();
  byID('qr').removeAttribute('src');
  byID('secret').textContent = '';
  byID('codes').textContent = done.recovery_codes.join('\n');
  byID('recovery').hidden = false;
  opened();
}));

async function download(path, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await (await ask('POST', path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

byID('pages').addEventListener('click', trying(() => download('/me/copy?format=pdf', 'own-data.pdf')));
byID('copy').addEventListener('click', trying(() => download('/me/copy', 'own-data.json')));

byID('leave').addEventListener('click', trying(async () => {
  await ask('DELETE', '/sessions/current');
  location.reload();
}));
