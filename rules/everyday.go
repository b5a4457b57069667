package rules

import "sync"

// everyday are words that people use without a brand in mind, folded: names that are among them need context. It is a
// list of words that brands like to take, in the languages of the library.
var everyday = sync.OnceValue(func() map[string]bool { return wordSet(Fold(everydayWords)) })

const everydayWords = `
after air amazon apple arrow basic bear bed best better big bird black blue boat body bolt book boss bounce box brave bread
breeze bridge bright bubble bull camel canvas caterpillar champion chase circle clean clear cloud club coach coffee comfort
compass copper corner cosmos cross crown crystal day delta diamond diesel dove dragon dream eagle earth echo edge element
essential everyday express fairy falcon family farm fast fiesta fire first flash flora flow focus food forest fox free fresh
friend fruit future galaxy gap garden gem gift glass globe go gold good grace grand grape green guess happy harmony harvest
heart hero hive home honest honey hope horizon house ice ideal impact impulse indigo iron island ivory jaguar jet joy jungle
just key king kite lake lava leaf level life light lime line link lion local loop lotus love luna lunch lush magic map
maple mars match mercury metro mind mini mint mirror moon more morning motion mountain mustang nature navy nest new next
night noble north nova oak oasis ocean old olive one open orange orbit origin oxygen palm panda paper path peak pearl penguin
people phoenix pilot pink pioneer planet plum point polo pool power premium prime prince progress pulse pure puma purple quest
quick rain rainbow raven red relay ring river rock rocket root rose royal ruby safe sage sand saturn scout sea shell shine
shift signal silk silver simple sky slack smart smile snap snow solar sonic soul south spark spirit spot spring sprint square
star steel stone storm stream stripe summit sun super supreme surface swan sweet swift swing table target team thunder tide
tiger time total touch tower town track travel tree triumph true trust twist twitch ultra union unity up urban valley vanguard
venus view village violet virgin visa vision vital volt wave way west whale whisper white wild wind wing wish wolf wonder
word work world yellow zen zero zoom
apfel blau blick brise farbe feuer frisch gold heim herz himmel hirsch jetzt kaffee kreuz krone licht luft meer morgen natur
neu perle quelle rot schatz sonne stern welle welt wolke zeit
alltid blad bonde ekorre eld fjäll hav hem hjärta idag himmel kaffe klar ljus måne norr nu sol sommar stjärna vår värld vind
avenir bleu bois ciel coeur fleur lumière lune maison matin mer monde nature nuit orange rouge soleil temps terre vie
agua amor azul blanco casa cielo corazón día estrella fuego luna luz mar mundo noche rojo sol tierra vida
мир свет небо море дом звезда солнце лес вода земля время утро день сила связь магнит лента перекресток
نور شمس قمر سماء بحر وردة حياة زمن نجم أرض
`
