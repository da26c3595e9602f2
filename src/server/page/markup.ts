/** The page's body: a chat that a keyboard and a screen reader can use. */
export const MARKUP = `
<header>
  <h1>sspec <span id="model"></span></h1>
  <p id="about">One moment&hellip;</p>
  <p class="legend"><span class="accepted">drafted and accepted</span> <span>the full model's own</span></p>
</header>
<main>
  <div id="log" role="log" aria-label="Conversation" tabindex="0"></div>
</main>
<form id="form">
  <details>
    <summary>Settings</summary>
    <div class="settings">
      <label class="wide chat">System message <textarea id="system" rows="2"></textarea></label>
      <label>Temperature <input id="temperature" type="number" min="0" max="2" step="0.1" value="0.7"></label>
      <label>Most tokens <input id="tokens" type="number" min="1" step="1" value="256"></label>
      <label>Seed <input id="seed" type="number" step="1" placeholder="drawn"></label>
      <label id="profiles" hidden>Profile <select id="profile"></select></label>
      <label>API key <input id="key" type="password" autocomplete="off"></label>
    </div>
  </details>
  <label for="text" id="label">Message</label>
  <textarea id="text" rows="3" required aria-describedby="help" autofocus></textarea>
  <div class="row">
    <button type="submit" id="send">Send</button>
    <button type="button" id="stop" disabled>Stop</button>
    <button type="button" id="clear">New conversation</button>
    <output id="speed" for="text" aria-live="off"></output>
  </div>
  <p id="help">Enter sends, Shift and Enter begin a new line, Escape stops.</p>
  <p id="status" role="status"></p>
</form>
`;
