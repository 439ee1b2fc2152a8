// The code of the link stands behind the #: no browser sends it by itself, and it leaves the address bar at once.
const code = location.hash.slice(1);
history.replaceState(null, '', location.pathname);

const byID = id => document.getElementById(id);
const say = text => { byID('said').textContent = text; };

async function call(method, path, body) {
  const answer = await fetch('/api/v1' + path, {
    method, headers: {'Content-Type': 'application/json', 'Accept-Language': navigator.language}, body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const data = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error([data.title, data.detail, data.hint].filter(Boolean).join(' '));
  return data;
}

const trying = work => async event => {
  event.preventDefault();
  say('');
  try { await work(); } catch (e) { say(e.message); }
};

byID('open').addEventListener('submit', trying(async () => {
  const given = byID('totp').value.trim();
  await call('POST', '/former-sessions', /^\d{6}$/.test(given) ? {code, totp: given} : {code, recovery_code: given});
  byID('open').hidden = true;
  byID('opened').hidden = false;
}));

byID('copy').addEventListener('click', trying(async () => {
  const copy = await call('POST', '/me/copy');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(copy, null, 2)], {type: 'application/json'}));
  link.download = 'own-data.json';
  link.click();
}));

byID('leave').addEventListener('click', trying(async () => {
  await call('DELETE', '/sessions/current');
  location.reload();
}));
