/* SPDX-License-Identifier: Apache-2.0 */
/* Platform files with one mistake each, and files that look odd but are right. The reader's test
 * holds places and messages; tests/engine/net/fixtures_test.c lets SimGrid judge the same texts. */
#ifndef MR_TESTS_PLATFORMS_READ_CASES_H
#define MR_TESTS_PLATFORMS_READ_CASES_H

#include <stddef.h>

/* What stands in MR_READ_DOC begins on line 4, what stands in a zone on line 5. */
#define MR_READ_HEAD                                                                          \
    "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n" \
    "<platform version='4.1'>\n"
#define MR_READ_DOC(...) MR_READ_HEAD __VA_ARGS__ "\n</platform>\n"
#define MR_READ_IN(routing, ...) \
    MR_READ_DOC("<zone id='w' routing='" routing "'>\n" __VA_ARGS__ "\n</zone>")
#define MR_READ_ZONE(...) MR_READ_IN("Full", __VA_ARGS__)
#define MR_READ_HOSTS     "<host id='a' speed='1Gf'/><host id='b' speed='1Gf'/>"

enum read_simgrid {
    REFUSES,  /* SimGrid aborts */
    TAKES_IT, /* ours is the stricter one */
    NEVER_ENDS
};

struct read_case {
    const char *text;
    int line, col; /* of the first error */
    const char *part;
    enum read_simgrid simgrid;
};

static const struct read_case read_mistakes[] = {
    {MR_READ_ZONE(MR_READ_HOSTS
                  "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' dst='b'><link_ctn "
                  "id='l'/></route><link id='k' bandwidth='1GBps' latency='1us'/>"),
     5, 148, "<link> after a route", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b'><link_ctn id='l'/></route><host id='c' speed='1Gf'/>"),
     5, 148, "<host> after a route", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<prop id='x' value='y'/>"), 5, 53, "<prop> after other elements",
     REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'/><zone id='z' routing='Full'/>"), 5, 27,
     "a zone holds zones or hosts, not both", REFUSES},
    {MR_READ_ZONE(
         "<link id='l' bandwidth='1GBps' latency='1us'/><zone id='z' routing='Full'>" MR_READ_HOSTS
         "</zone>"),
     5, 47, "zones come before the first link", REFUSES},
    {MR_READ_ZONE("<box/>" MR_READ_HOSTS), 5, 1, "<box> cannot stand in a zone", REFUSES},
    {MR_READ_ZONE("<hots id='a' speed='1Gf'/>"), 5, 1, "did you mean \"host\"", REFUSES},
    {MR_READ_ZONE("<include file='x.xml'/>" MR_READ_HOSTS), 5, 1,
     "SimGrid has removed it: use XInclude", REFUSES},
    {MR_READ_ZONE("<storage id='s' typeId='t'/>" MR_READ_HOSTS), 5, 1, "use <disk>", REFUSES},
    {MR_READ_ZONE("hello" MR_READ_HOSTS), 4, 1, "no text is allowed", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'>hello</host>"), 5, 1, "<host>: no text is allowed",
     REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'><disk id='d' read_bw='1Bps' "
                  "write_bw='1Bps'><host/></disk></host>"),
     5, 70, "only <prop> can stand in a disk", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'><mount storageId='x' name='y'/></host>"), 5, 26,
     "SimGrid has removed it", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b'><prop id='x' value='y'/></route>"),
     5, 122, "only <link_ctn> can stand in a route", REFUSES},
    {MR_READ_DOC("<zone id='w' routing='Full'>" MR_READ_HOSTS
                 "</zone><zone id='v' routing='Full'><host id='c' speed='1Gf'/></zone>"),
     4, 88, "beside the outermost zone", REFUSES},
    {MR_READ_DOC(""), 3, 1, "platform: has no zone", TAKES_IT},
    {MR_READ_ZONE(""), 0, 0, "the platform has no host", TAKES_IT},
    {"<?xml version='1.0'?>\n\n<platform version='4.1'>\n<zone id='w' "
     "routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
     3, 1, "no DOCTYPE", REFUSES},
    {"<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
     "\"http://simgrid.org/simgrid.dtd\">\n<platform version='4.1'>\n<zone id='w' "
     "routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
     3, 1, "another DOCTYPE", REFUSES},
    {"<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
     "\"https://simgrid.org/simgrid.dtd\">\n<platform version='3'>\n<zone id='w' "
     "routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
     3, 11, "SimGrid reads 4 and 4.1", REFUSES},
    {"<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
     "\"https://simgrid.org/simgrid.dtd\">\n<platform>\n<zone id='w' "
     "routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
     3, 1, "has no version", REFUSES},
    {MR_READ_DOC("<zone id='w' routing='Full'>" MR_READ_HOSTS "</zone><config/>"), 4, 88,
     "<config> after the zone", REFUSES},
    {MR_READ_DOC("<config><prop id='network/modle' value='CM02'/></config><zone id='w' "
                 "routing='Full'>" MR_READ_HOSTS "</zone>"),
     4, 15, "did you mean \"network/model\"", REFUSES},
    {MR_READ_DOC("<config><prop id='network/model' value='XX'/></config><zone id='w' "
                 "routing='Full'>" MR_READ_HOSTS "</zone>"),
     4, 34, "SimGrid has no such model", TAKES_IT},
    {MR_READ_DOC("<config><prop id='contexts/stack-size' value='big'/></config><zone id='w' "
                 "routing='Full'>" MR_READ_HOSTS "</zone>"),
     4, 40, "not a number", REFUSES},
    {MR_READ_DOC("<zone id='w' routing='Full'>" MR_READ_HOSTS
                 "</zone><actor host='a' function='f'/>"),
     4, 88, "Millrace runs no actors", REFUSES},
    {MR_READ_DOC("<zone id='w' routing='Floid'>" MR_READ_HOSTS "</zone>"), 4, 14,
     "did you mean \"Floyd\"", REFUSES},
    {MR_READ_DOC("<zone id='w'>" MR_READ_HOSTS "</zone>"), 4, 1, "zone \"w\": has no routing",
     REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'/><host id='a' speed='1Gf'/>"), 5, 27,
     "there is a host of this name already", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf'/><router id='a'/>"), 5, 27,
     "there is a host of this name already", REFUSES},
    {MR_READ_ZONE("<zone id='z' routing='Full'><host id='a' speed='1Gf'/><router id='z'/></zone>"),
     5, 55, "there is a zone of this name already", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><link id='l' "
                                "bandwidth='1GBps' latency='1us'/>"),
     5, 99, "there is a link of this name already", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l_UP' bandwidth='1GBps' latency='1us'/><link id='l' "
                                "bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/>"),
     5, 102, "there is a link of this name already", REFUSES},
    {MR_READ_ZONE(
         MR_READ_HOSTS
         "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/><link "
         "id='l_DOWN' bandwidth='1GBps' latency='1us'/>"),
     5, 128, "there is a link of this name already", REFUSES},
    {MR_READ_ZONE("<zone id='w' routing='Full'>" MR_READ_HOSTS "</zone>"), 5, 1,
     "there is a zone of this name already", REFUSES},
    {MR_READ_ZONE("<host id='a'/>"), 5, 1, "host \"a\": has no speed", REFUSES},
    {MR_READ_ZONE("<host speed='1Gf'/>"), 5, 1, "has no id", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' colour='red'/>"), 5, 26, "unknown attribute \"colour\"",
     REFUSES},
    {MR_READ_ZONE("<host id='a' power='1Gf'/>"), 5, 14, "unknown attribute \"power\"", REFUSES},
    {MR_READ_ZONE("<host id='a' sped='1Gf'/>"), 5, 14, "did you mean \"speed\"", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1GF'/>"), 5, 14, "did you mean \"Gf\"", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1 Gf'/>"), 5, 14, "no space around the unit", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='0f'/>"), 5, 14, "out of range: > 0", TAKES_IT},
    {MR_READ_ZONE("<host id='a' speed='fast'/>"), 5, 14, "not a number", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf,'/>"), 5, 14, "not a number", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' core='0'/>"), 5, 26, "out of range: >= 1", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' core='1.5'/>"), 5, 26, "not a whole number", TAKES_IT},
    {MR_READ_ZONE("<host id='a' speed='2Gf,1Gf' pstate='2'/>"), 5, 30, "2 speeds are given",
     REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' speed_file='no.trace'/>"), 5, 26, "no such file",
     REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' coordinates='1 2'/>"), 5, 26, "three numbers", REFUSES},
    {MR_READ_ZONE("<host id='a' speed='1Gf' coordinates='1  2 3'/>"), 5, 26, "a blank between each",
     REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GB' latency='1us'/>"), 5, 66,
     "did you mean", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GB/s' latency='1us'/>"), 5, 66,
     "unknown unit \"GB/s\"", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='0' latency='1us'/>"), 5, 66,
     "out of range: > 0", TAKES_IT},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps'/>"), 5, 53,
     "link \"l\": has no latency", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1usec'/>"), 5, 84,
     "unknown unit \"usec\"", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='-1us'/>"), 5, 84,
     "out of range: >= 0", TAKES_IT},
    {MR_READ_ZONE(MR_READ_HOSTS
                  "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLIT'/>"),
     5, 98, "not one of SHARED", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us' state_file='no'/>"),
     5, 98, "no such file", REFUSES},
    {MR_READ_IN("Wifi", "<host id='a' speed='1Gf'/><link id='l' bandwidth='1GBps' latency='1us' "
                        "sharing_policy='WIFI'/>"),
     5, 58, "a wireless link has no latency", REFUSES},
    {MR_READ_IN("Wifi", "<prop id='access_point' value='z'/><host id='a' speed='1Gf'/>"), 5, 25,
     "access_point \"z\": no host or router", TAKES_IT},
    {MR_READ_IN("Vivaldi", "<host id='a' speed='1Gf'/>"), 5, 1, "three numbers", TAKES_IT},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b'><link_ctn id='k'/></route>"),
     5, 132, "no link \"k\" is defined before this", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='uplink' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b'><link_ctn id='uplnk'/></route>"),
     5, 137, "did you mean \"uplink\"", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='c'><link_ctn id='l'/></route>"),
     5, 114, "dst \"c\": no host or router of this name", REFUSES},
    {MR_READ_ZONE(
         "<host id='a' speed='1Gf'/><host id='bell' speed='1Gf'/><link id='l' bandwidth='1GBps' "
         "latency='1us'/><route src='a' dst='bel'><link_ctn id='l'/></route>"),
     5, 117, "did you mean \"bell\"", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS
                  "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' dst='b'/>"),
     5, 99, "has no link", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS
                  "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' dst='b'><link_ctn "
                  "id='l'/></route><route src='a' dst='b'><link_ctn id='l'/></route>"),
     5, 148, "there is such a route already", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b' symmetrical='NO'><link_ctn id='l'/></route><route src='b' "
                                "dst='a'><link_ctn id='l'/></route>"),
     5, 165, "in the other direction", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b' symmetrical='maybe'><link_ctn id='l'/></route>"),
     5, 122, "neither YES nor NO", REFUSES},
    {MR_READ_ZONE(
         MR_READ_HOSTS
         "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/><route "
         "src='a' dst='b'><link_ctn id='l'/></route>"),
     5, 151, "is SPLITDUPLEX: direction", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                                "dst='b'><link_ctn id='l' direction='UP'/></route>"),
     5, 139, "it is not SPLITDUPLEX", REFUSES},
    {MR_READ_ZONE(
         MR_READ_HOSTS
         "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/><route "
         "src='a' dst='b'><link_ctn id='l' direction='up'/></route>"),
     5, 168, "not UP, DOWN or NONE", REFUSES},
    {MR_READ_IN("Floyd", MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route "
                                       "src='a' dst='a'><link_ctn id='l'/></route>"),
     5, 99, "needs symmetrical=\"NO\"", REFUSES},
    {MR_READ_ZONE(MR_READ_HOSTS
                  "<link id='l' bandwidth='1GBps' latency='1us'/><bypassRoute src='a' dst='b' "
                  "symmetrical='NO'><link_ctn id='l'/></bypassRoute>"),
     5, 128, "unknown attribute \"symmetrical\"", REFUSES},
    {MR_READ_IN("None", MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route "
                                      "src='a' dst='b'><link_ctn id='l'/></route>"),
     5, 99, "routing None takes no <route>", REFUSES},
    {MR_READ_ZONE("<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><zone id='q' "
                  "routing='Full'><host id='b' speed='1Gf'/></zone><link id='l' bandwidth='1GBps' "
                  "latency='1us'/><route src='a' dst='b'><link_ctn id='l'/></route>"),
     5, 169, "a zone holds zones or hosts", REFUSES},
    {MR_READ_ZONE("<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><zone id='q' "
                  "routing='Full'><host id='b' speed='1Gf'/></zone><link id='l' bandwidth='1GBps' "
                  "latency='1us'/><zoneRoute src='p' dst='qq' gw_src='a' gw_dst='b'><link_ctn "
                  "id='l'/></zoneRoute>"),
     5, 188, "no zone of this name", REFUSES},
    {MR_READ_ZONE("<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><zone id='q' "
                  "routing='Full'><host id='b' speed='1Gf'/></zone><link id='l' bandwidth='1GBps' "
                  "latency='1us'/><zoneRoute src='p' dst='q' gw_src='b' gw_dst='b'><link_ctn "
                  "id='l'/></zoneRoute>"),
     5, 196, "\"b\" does not stand in zone \"p\"", REFUSES},
    {MR_READ_ZONE("<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><zone id='q' "
                  "routing='Full'><host id='b' speed='1Gf'/></zone><link id='l' bandwidth='1GBps' "
                  "latency='1us'/><zoneRoute src='p' dst='p' gw_src='a' gw_dst='a'><link_ctn "
                  "id='l'/></zoneRoute>"),
     5, 169, "no route to itself", REFUSES},
    {MR_READ_ZONE(
         "<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><zone id='q' "
         "routing='Full'><host id='b' speed='1Gf'/></zone><link id='l' bandwidth='1GBps' "
         "latency='1us'/><zoneRoute src='p' dst='q' gw_src='a'><link_ctn id='l'/></zoneRoute>"),
     5, 169, "has no gw_dst", REFUSES},
    {MR_READ_ZONE(
         MR_READ_HOSTS
         "<link id='l' bandwidth='1GBps' latency='1us'/><host_link id='a' up='l' down='l'/>"),
     5, 99, "outside of a Cluster zone", TAKES_IT},
    {MR_READ_IN("Cluster",
                MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us' "
                              "sharing_policy='SPLITDUPLEX'/><host_link id='a' up='l' down='l'/>"),
     5, 128, "is used as X_UP", REFUSES},
    {MR_READ_ZONE(
         "<cluster id='c' prefix='n' suffix='' radical='3-1' speed='1Gf' bw='1GBps' lat='1us'/>"),
     5, 38, "no host at all", TAKES_IT},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='2147483647' speed='1Gf' "
                  "bw='1GBps' lat='1us'/>"),
     5, 38, "expected numbers and ranges", NEVER_ENDS},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='TORUS' topo_parameters='3,2'/>"),
     5, 102, "more hosts than the radical names", REFUSES},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='FAT_TREE' topo_parameters='2;4;1,2;1,1'/>"),
     5, 105, "not what this topology needs", REFUSES},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='FAT_TREE' topo_parameters='1;4;0;1'/>"),
     5, 105, "not what this topology needs", REFUSES},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='DRAGONFLY' topo_parameters='2;1;1;2'/>"),
     5, 106, "not what this topology needs", REFUSES},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='DRAGONFLY' topo_parameters='2,0;1,1;1,1;2'/>"),
     5, 106, "not what this topology needs", REFUSES},
    {MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                  "lat='1us' topology='RING'/>"),
     5, 85, "unknown", REFUSES},
    {MR_READ_ZONE(
         "<cabinet id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' lat='1us'/>"),
     5, 1, "outside of a Cluster zone", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='color=red'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "unknown parameter \"color\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='mas=1 kg'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "did you mean \"mass\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='mass'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "has no \"=\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='mass=1 W'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "mass", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='mass=1'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "mass", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='liquid=1.5'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "out of range", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='packages=two'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "packages", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack.limt' value='1 kW'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 50, "did you mean \"limit\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack.card' value='vr_nvl73'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 50, "no rack card \"vr_nvl73\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='cdu=C'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "cdu \"C\": there is no such cdu", TAKES_IT},
    {MR_READ_ZONE("<prop id='cdu.C0' value=''/><zone id='k' routing='Full'><prop id='rack' "
                  "value='cdu=C1'/><host id='h' speed='1Gf'/></zone>"),
     5, 73, "did you mean \"C0\"", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='feed=F'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "there is no such power", TAKES_IT},
    {MR_READ_ZONE("<prop id='power.A' value='kind=ups'/><prop id='power.B' value='kind=ups'/><prop "
                  "id='power.C' value='kind=ups'/><zone id='k' routing='Full'><prop id='rack' "
                  "value='feed=A B C'/><host id='h' speed='1Gf'/></zone>"),
     5, 156, "more than 2 names", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='pod=P'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "there is no such pod", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value='domain=D'/><host id='h' "
                  "speed='1Gf'/></zone>"),
     5, 45, "there is no such domain", TAKES_IT},
    {MR_READ_ZONE("<prop id='domain.D' value=''/><zone id='k' routing='Full'><prop id='rack' "
                  "value='domain=D; domains=2'/><host id='h' speed='1Gf'/></zone>"),
     5, 31, "domains=2: so many do not follow", TAKES_IT},
    {MR_READ_ZONE("<prop id='cdu.C' value='loop=L'/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 18, "loop \"L\": there is no such loop", TAKES_IT},
    {MR_READ_ZONE("<prop id='reject.X' value='kind=tower; loop=L'/><zone id='k' "
                  "routing='Full'><prop id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 21, "there is no such loop", TAKES_IT},
    {MR_READ_ZONE("<prop id='reject.X' value=''/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 21, "kind", TAKES_IT},
    {MR_READ_ZONE("<prop id='power.X' value='kind=upps'/><zone id='k' routing='Full'><prop "
                  "id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 20, "did you mean \"ups\"", TAKES_IT},
    {MR_READ_ZONE("<prop id='power.X' value='kind=ups; parent=Y'/><zone id='k' "
                  "routing='Full'><prop id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 20, "there is no such power", TAKES_IT},
    {MR_READ_ZONE("<prop id='loop.a b' value=''/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 7, "is not a name", TAKES_IT},
    {MR_READ_ZONE("<prop id='loop.A' value=''/><prop id='loop.A' value=''/><zone id='k' "
                  "routing='Full'><prop id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 35, "there is a loop of this name already", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value=''/><prop id='grid' "
                  "value='limit=1 W'/><host id='h' speed='1Gf'/></zone>"),
     5, 61, "belongs on the outermost zone", TAKES_IT},
    {MR_READ_ZONE("<host id='h' speed='1Gf'><prop id='hall.H' value=''/></host>"), 5, 32,
     "belongs on a zone, not on a host", TAKES_IT},
    {MR_READ_ZONE("<prop id='rack' value=''/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 27, "stands in rack \"w\"", TAKES_IT},
    {MR_READ_ZONE(
         "<prop id='rack' value=''/><host id='h' speed='1Gf'><prop id='rack' value=''/></host>"),
     4, 1, "stands in rack", TAKES_IT},
    {MR_READ_ZONE("<prop id='row.A' value=''/><zone id='k' routing='Full'><prop id='row.B' "
                  "value=''/><prop id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 28, "a row inside another", TAKES_IT},
    {MR_READ_ZONE("<prop id='hall.A' value=''/><zone id='k' routing='Full'><prop id='hall.B' "
                  "value=''/><prop id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 29, "a hall inside another", TAKES_IT},
    {MR_READ_ZONE("<prop id='hall.A' value=''/><zone id='r' routing='Full'><prop id='row.A' "
                  "value=''/><zone id='k' routing='Full'><prop id='hall.B' value=''/><prop "
                  "id='rack' value=''/><host id='h' speed='1Gf'/></zone></zone>"),
     5, 84, "hall in a row", TAKES_IT},
    {MR_READ_ZONE("<zone id='k' routing='Full'><prop id='rack' value=''/><router "
                  "id='r'/></zone><zone id='o' routing='Full'><host id='h' speed='1Gf'/></zone>"),
     5, 1, "rack \"k\" has no host", TAKES_IT},
    {MR_READ_ZONE("<prop id='loop.supply' value='45'/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 24, "loop.supply", TAKES_IT},
    {MR_READ_ZONE("<prop id='grid.feed' value='120 kg'/><zone id='k' routing='Full'><prop "
                  "id='rack' value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 22, "limit", TAKES_IT},
    {MR_READ_ZONE("<prop id='tray' value='x'/><zone id='k' routing='Full'><prop id='rack' "
                  "value=''/><host id='h' speed='1Gf'/></zone>"),
     5, 17, "tray", TAKES_IT},
};

static const char *const read_oddities[] = {
    MR_READ_ZONE("<host speed='1Gf' id='a'/><host core='2' speed='1Gf' id='b'/><link latency='1us' "
                 "bandwidth='1GBps' id='l'/><route dst='b' src='a'><link_ctn id='l'/></route>"),
    MR_READ_DOC("<zone routing='floyd' id='w'><host id='a' speed='1Gf'/></zone>"),
    MR_READ_ZONE("<zone id='e' routing='Full'/><zone id='f' routing='Full'><host id='a' "
                 "speed='1Gf'/></zone>"),
    MR_READ_ZONE("<link id='l' bandwidth='1GBps' latency='1us'/>" MR_READ_HOSTS
                 "<route src='a' dst='b'><link_ctn id='l'/></route>"),
    MR_READ_ZONE("<zone id='p' routing='Full'><host id='a' speed='1Gf'/></zone><link id='l' "
                 "bandwidth='1GBps' latency='1us'/><zone id='q' routing='Full'><host id='b' "
                 "speed='1Gf'/></zone><zoneRoute src='p' dst='q' gw_src='a' gw_dst='b'><link_ctn "
                 "id='l'/></zoneRoute>"),
    MR_READ_ZONE(
        MR_READ_HOSTS
        "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/><route src='a' "
        "dst='b'><link_ctn id='l_DOWN'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                               "dst='b'><link_ctn id='l' direction='NONE'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                               "dst='b' symmetrical='no'><link_ctn id='l'/></route><route src='b' "
                               "dst='a' symmetrical='NO'><link_ctn id='l'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                               "dst='b' symmetrical='NO'><link_ctn id='l'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                               "dst='a'><link_ctn id='l'/></route>"),
    MR_READ_IN("Floyd",
               MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' dst='a' "
                             "symmetrical='NO'><link_ctn id='l'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' "
                               "dst='b'><link_ctn id='l'/><link_ctn id='l'/></route>"),
    MR_READ_ZONE(MR_READ_HOSTS
                 "<link id='l' bandwidth='1GBps' latency='1us'/><route src='a' dst='b'><link_ctn "
                 "id='l'/></route><bypassRoute src='a' dst='b'><link_ctn id='l'/></bypassRoute>"),
    MR_READ_ZONE("<zone id='a' routing='Full'><host id='a' speed='1Gf'/></zone><link id='a' "
                 "bandwidth='1GBps' latency='1us'/>"),
    MR_READ_ZONE("<host id='' speed='1Gf'/>"),
    MR_READ_ZONE("<host id='a b:c' speed='1Gf'/>"),
    MR_READ_ZONE("<host id='\xC3\xA9"
                 "&lt;&amp;&gt;&quot;&apos;' speed='1Gf'/>"),
    MR_READ_ZONE("<host id='a' speed='1e9,2.5Mf,1kiloflops'/>"),
    MR_READ_ZONE("<host id='a' speed='.5Gf'/>"),
    MR_READ_ZONE("<host id='a' speed='+1.Gf'/>"),
    MR_READ_ZONE("<host id='a' speed='1E3f'/>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1e9' latency='1e-6'/>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='8Gbps' latency='0'/>"),
    MR_READ_ZONE(MR_READ_HOSTS "<link id='l' bandwidth='1EiBps' latency='1w'/>"),
    MR_READ_ZONE(MR_READ_HOSTS
                 "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='FULLDUPLEX'/>"),
    MR_READ_IN("Cluster", MR_READ_HOSTS
               "<link id='d' bandwidth='1GBps' latency='1us'/><link id='u' bandwidth='1GBps' "
               "latency='1us'/><host_link id='a' up='u' down='d'/><router id='r'/><backbone id='x' "
               "bandwidth='1GBps' latency='1us'/>"),
    MR_READ_IN(
        "Cluster", MR_READ_HOSTS
        "<link id='l' bandwidth='1GBps' latency='1us' sharing_policy='SPLITDUPLEX'/><host_link "
        "id='a' up='l_UP' down='l_DOWN'/><host_link id='b' up='l_DOWN' down='l_UP'/>"),
    MR_READ_IN("Cluster", MR_READ_HOSTS),
    MR_READ_IN("None", MR_READ_HOSTS),
    MR_READ_IN("Floyd", MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/>"),
    MR_READ_IN("Dijkstra", MR_READ_HOSTS "<link id='l' bandwidth='1GBps' latency='1us'/>"),
    MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-1, 5 ,7-8' speed='1Gf' "
                 "bw='1GBps' lat='1us'/>"),
    MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                 "lat='1us' topology='TORUS' topo_parameters='2,2'/>"),
    MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                 "lat='1us' topology='FAT_TREE' topo_parameters='2;2,2;1,2;1,1'/>"),
    MR_READ_ZONE("<cluster id='c' prefix='n' suffix='' radical='0-3' speed='1Gf' bw='1GBps' "
                 "lat='1us' topology='DRAGONFLY' topo_parameters='2,1;1,1;1,1;2'/>"),
    MR_READ_ZONE("<host id='a' speed='1Gf'><disk id='d' read_bw='0' write_bw='1Bps'/><prop id='x' "
                 "value='y'/></host>"),
    MR_READ_ZONE("<prop id='x' value='y'/><prop id='x' value='z'/>" MR_READ_HOSTS),
    MR_READ_DOC("<config/><config id='c'/><zone id='w' routing='Full'>" MR_READ_HOSTS "</zone>"),
    "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
    "\"https://simgrid.org/simgrid.dtd\">\n<platform version='4'>\n<zone id='w' "
    "routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
    "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<platform "
    "version='4.1'>\n<zone id='w' routing='Full'>\n" MR_READ_HOSTS "\n</zone>\n</platform>\n",
    "<?xml version='1.0'?>\r\n<!DOCTYPE platform SYSTEM "
    "\"https://simgrid.org/simgrid.dtd\">\r\n<platform version='4.1'>\r\n<zone id='w' "
    "routing='Full'>\r\n" MR_READ_HOSTS "\r\n</zone>\r\n</platform>\r\n",
    "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
    "\"https://simgrid.org/simgrid.dtd\">\n<platform version='4.1'>\n<zone id='w' "
    "routing='Full'>\n<!-- <host> -->" MR_READ_HOSTS "\n</zone>\n</platform>\n<!-- bye -->\n",
    MR_READ_ZONE(MR_READ_HOSTS
                 "<link id='l' bandwidth='1GBps' latency='1us'/><trace id='t' periodicity='1.0'>0 "
                 "1\n</trace><trace_connect trace='t' element='a' kind='SPEED'/>"),
};

enum {
    n_read_mistake = sizeof read_mistakes / sizeof *read_mistakes,
    n_read_oddity = sizeof read_oddities / sizeof *read_oddities
};

#endif
