"""Define how widgets look: one type scale, one spacing, and colours by meaning, never as the only sign of it.

CloudWatch has no style sheet of ours, so each widget brings this one. Everything is below the class `aftersend`, which
also opts out of CloudWatch's own styles of tables and buttons. Contrast of text is at least 4.5 to 1 (WCAG 2.2 AA).
"""

LIGHT = (
    "--ink:#1b1f27;--soft:#5b6472;--line:#dfe3e8;--paper:#ffffff;--raised:#f4f6f8;--link:#0b57d0;"
    "--good:#17693a;--warn:#8a5a00;--bad:#b3261e;--good-ground:#e6f4ea;--warn-ground:#fdf0d5;--bad-ground:#fce8e6;"
    "--bar:#4a6fa5;--bar-soft:#b7c6dc;--bar-bad:#c5453b;--bar-warn:#d09122"
)
DARK = (
    "--ink:#e4e7ec;--soft:#a3acba;--line:#343b47;--paper:#171b22;--raised:#212731;--link:#8ab4f8;"
    "--good:#7fd19b;--warn:#f2c063;--bad:#ff9d94;--good-ground:#16321f;--warn-ground:#3a2c0c;--bad-ground:#411c1a;"
    "--bar:#7ea3d8;--bar-soft:#3f5474;--bar-bad:#e5746a;--bar-warn:#d9a441"
)

RULES = """
.aftersend{color:var(--ink);background:var(--paper);font:14px/1.45 system-ui,-apple-system,"Segoe UI",
sans-serif;text-align:left}
.aftersend *{box-sizing:border-box}
.aftersend h3{font-size:14px;font-weight:600;margin:20px 0 8px}
.aftersend p{margin:0 0 8px;max-width:75ch}.aftersend p.soft{max-width:110ch}
.aftersend .soft,.aftersend small{color:var(--soft);font-size:12px}
.aftersend td small,.aftersend tbody th small,.aftersend dd small{display:block}
.aftersend a,.aftersend .link{color:var(--link);text-decoration:underline;cursor:pointer;background:none;
border:0;padding:0;font:inherit;text-align:left}
.aftersend table{border-collapse:collapse;width:100%;font-size:13px}
.aftersend .row+table,.aftersend table+table{margin-top:20px}.aftersend .row>table{margin-top:0}
.aftersend caption{text-align:left;font-weight:600;font-size:14px;padding:0 0 6px}
.aftersend th,.aftersend td{padding:6px 12px 6px 0;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}
.aftersend th{font-weight:500;color:var(--soft);font-size:12px;white-space:nowrap}
.aftersend tbody th{font-weight:500;color:var(--ink);font-size:13px;white-space:normal;overflow-wrap:anywhere}
.aftersend tbody tr:last-child td,.aftersend tbody tr:last-child th{border-bottom:0}
.aftersend .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.aftersend .id{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;overflow-wrap:anywhere}
.aftersend .time{white-space:nowrap;font-variant-numeric:tabular-nums}
.aftersend .level{display:inline-block;padding:1px 8px;border-radius:10px;font-size:12px;font-weight:600;
white-space:nowrap;background:var(--raised);color:var(--soft)}
.aftersend .good{color:var(--good);background:var(--good-ground)}
.aftersend .warn{color:var(--warn);background:var(--warn-ground)}
.aftersend .bad{color:var(--bad);background:var(--bad-ground)}
.aftersend .banner{padding:10px 14px;border-radius:6px;margin:0 0 12px;background:var(--raised);
border-left:4px solid var(--soft)}
.aftersend .banner.good{border-color:var(--good)}.aftersend .banner.warn{border-color:var(--warn)}
.aftersend .banner.bad{border-color:var(--bad)}
.aftersend .banner>:not(strong){color:var(--ink)}.aftersend .banner p{margin:4px 0 0}
.aftersend .banner strong{font-size:16px;font-weight:600}
.aftersend .empty{padding:20px;text-align:center;color:var(--soft);border:1px dashed var(--line);
border-radius:6px}
.aftersend .empty p{margin:0 auto 8px}
.aftersend code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;background:var(--raised);
padding:2px 5px;border-radius:4px;overflow-wrap:anywhere;white-space:pre-wrap;user-select:all}
.aftersend form{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin:0 0 14px}
.aftersend label{display:grid;gap:3px;font-size:12px;color:var(--soft)}
.aftersend input,.aftersend select,.aftersend .button{font:inherit;font-size:14px;color:var(--ink);
background:var(--paper);border:1px solid var(--soft);border-radius:5px;padding:5px 10px;min-height:32px}
.aftersend input{min-width:min(260px,100%)}
.aftersend .button{cursor:pointer;font-weight:500;display:inline-block;text-decoration:none}
.aftersend .button:hover{background:var(--raised)}
.aftersend :focus-visible{outline:2px solid var(--link);outline-offset:2px}
.aftersend svg{display:block;max-width:100%;height:auto}.aftersend .number svg{margin-left:auto}
.aftersend svg text{fill:var(--soft);font-size:11px}
.aftersend figure{margin:0 0 16px}.aftersend span.key{display:inline-flex;align-items:center;gap:5px;
margin-right:16px}.aftersend svg.key{display:inline-block}
.aftersend .patch{display:inline-block;width:10px;height:10px;margin:0 4px 0 10px;background:var(--bar-soft)}
.aftersend .patch.full{margin-left:0;background:var(--bar)}
.aftersend .row{display:flex;flex-wrap:wrap;gap:12px 32px;align-items:flex-start}
.aftersend .row>*{flex:1 1 320px;min-width:0}
.aftersend dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0 0 12px}
.aftersend dt{color:var(--soft)}.aftersend dd{margin:0;overflow-wrap:anywhere}
.aftersend article{border-top:1px solid var(--line);padding:2px 0 4px}.aftersend article h3{margin:10px 0 2px}
.aftersend article p{margin:0 0 4px}.aftersend article dl{margin:8px 0 10px}
.aftersend details>summary{cursor:pointer;color:var(--link)}
@media (max-width:640px){
.aftersend .cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.aftersend .cards tr{display:block;border:1px solid var(--line);border-radius:6px;padding:8px 12px;
margin:0 0 10px}
.aftersend .cards td,.aftersend .cards th{display:flex;justify-content:space-between;gap:16px;border:0;
padding:3px 0;text-align:right;white-space:normal}
.aftersend .cards tbody th{display:block;text-align:left;font-weight:600}
.aftersend .cards td[data-name]::before{content:attr(data-name);color:var(--soft);text-align:left;flex:none}
.aftersend dl{grid-template-columns:1fr}.aftersend dt{margin-top:6px}
}
"""


def style_sheet(*, is_dark: bool) -> str:
    """Return the rules for a theme."""
    return f".aftersend{{{DARK if is_dark else LIGHT}}}{RULES}"
