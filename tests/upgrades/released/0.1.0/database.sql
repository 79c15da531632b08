--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: booking; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS booking WITH SCHEMA pg_catalog;


--
-- Name: EXTENSION booking; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION booking IS 'holds, confirmations and expiry: double booking made impossible';


--
-- Data for Name: capacity_changes; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.capacity_changes (resource, during, capacity) FROM stdin;
hotel	["2032-06-30 22:00:00+00","2032-07-07 22:00:00+00")	2
\.


--
-- Data for Name: holds; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.holds (id, resource, basket, item, quantity, seats, during, occupied, exclusive, state, version, placed_at, expires_at, confirmed_at, ended_at, key, fingerprint, holder, reference, metadata) FROM stdin;
01a22f96-4e6d-7403-8d5e-2328f598a987	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.357215+00	2026-12-01 04:11:49.357215+00	\N	2026-12-01 03:11:49.35761+00	k2	60b45c1c-519d-5c17-8a46-99e298898ae6	h2	\N	{"n": 2}
01a22f96-4e6e-7795-86c6-b347aecc494d	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.357981+00	2026-12-01 04:11:49.357981+00	\N	\N	k3	c8550967-d12a-5f9f-8ad8-b89b35283dcc	h3	\N	{"n": 3}
01a22f96-4e6e-7795-86c6-b348f0f68a0b	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.358134+00	2026-12-01 04:11:49.358134+00	\N	\N	k4	635acbd6-e801-542f-8b90-540cb9ce6d8b	h4	\N	{"n": 4}
01a22f96-4e6e-7795-86c6-b34a9129e74e	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.358394+00	2026-12-01 04:11:49.358394+00	\N	2026-12-01 03:11:49.358489+00	k6	cb882af1-dbec-5f8e-984f-acc79945c9c8	h1	\N	{"n": 6}
01a22f96-4e6e-7795-86c6-b34b70602ac3	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.358586+00	2026-12-01 04:11:49.358586+00	\N	\N	k7	1113bc9b-f9b2-5367-b3c8-de6876b6bb49	h2	\N	{"n": 7}
01a22f96-4e6e-7795-86c6-b34c59946441	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.358676+00	2026-12-01 04:11:49.358676+00	\N	\N	k8	2a9ce508-4443-5e22-908c-6b3504856a8b	h3	\N	{"n": 8}
01a22f96-4e6e-7795-86c6-b34dde03097f	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.358756+00	2026-12-01 04:11:49.358756+00	2026-12-01 03:11:49.358812+00	\N	k9	b2897d8b-a376-5acf-a147-3a8e40f415af	h4	p9	{"n": 9}
01a22f96-4e6e-7795-86c6-b34eb5c8acaa	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.358874+00	2026-12-01 04:11:49.358874+00	\N	2026-12-01 03:11:49.358955+00	k10	b936cd8f-a492-566c-8563-76a98b6964e7	h0	\N	{"n": 10}
01a22f96-4e6f-761d-8d81-a91602ea6232	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.359027+00	2026-12-01 04:11:49.359027+00	\N	\N	k11	ff91d2d1-38db-592c-b1ae-3941b749a6bc	h1	\N	{"n": 11}
01a22f96-4e6f-761d-8d81-a91701093598	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.359139+00	2026-12-01 04:11:49.359139+00	\N	\N	k12	d44f7ac9-1c0b-5057-b10a-fca04d5a477c	h2	\N	{"n": 12}
01a22f96-4e6f-761d-8d81-a918de97d8d9	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.359219+00	2026-12-01 04:11:49.359219+00	2026-12-01 03:11:49.359276+00	\N	k13	d7b9fa6f-b45c-56e3-a60b-08e0e1f7c241	h3	p13	{"n": 13}
01a22f96-4e6f-761d-8d81-a9193a5daa1b	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.359342+00	2026-12-01 04:11:49.359342+00	\N	2026-12-01 03:11:49.35942+00	k14	8453a1d5-37fa-5ccc-97b4-6a739c05fac7	h4	\N	{"n": 14}
01a22f96-4e6f-761d-8d81-a91a521f7986	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.359491+00	2026-12-01 04:11:49.359491+00	\N	\N	k15	7b4ffcd0-9a6a-532a-8360-502957175c1a	h0	\N	{"n": 15}
01a22f96-4e6f-761d-8d81-a91b714a7092	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.359586+00	2026-12-01 04:11:49.359586+00	\N	\N	k16	93ae607b-78fa-52ae-8cfd-7fbc16cffd54	h1	\N	{"n": 16}
01a22f96-4e6f-761d-8d81-a91c2ea2e1fe	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.359669+00	2026-12-01 04:11:49.359669+00	2026-12-01 03:11:49.359725+00	\N	k17	39cadda7-b982-5612-8c76-20e483bede62	h2	p17	{"n": 17}
01a22f96-4e6f-761d-8d81-a91d95a98915	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.359783+00	2026-12-01 04:11:49.359783+00	\N	2026-12-01 03:11:49.359862+00	k18	76db2e71-3adb-538a-8b82-2f6e8aa88aa7	h3	\N	{"n": 18}
01a22f96-4e6f-761d-8d81-a91e20584313	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.35993+00	2026-12-01 04:11:49.35993+00	\N	\N	k19	eb72ef83-1c52-50c9-a36e-405c92eac72c	h4	\N	{"n": 19}
01a22f96-4e70-768b-9264-156e211722e0	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.360011+00	2026-12-01 04:11:49.360011+00	\N	\N	k20	7fbf5298-b082-5d49-8eb2-29ee72c84d58	h0	\N	{"n": 20}
01a22f96-4e6b-72b1-a139-d32bdc624941	gig	\N	1	1	\N	\N	\N	\N	cancelled	3	2026-12-01 03:11:49.354992+00	2026-12-01 04:11:49.354992+00	2026-12-01 03:11:49.356647+00	2026-12-01 03:11:49.370747+00	k1	7df43b70-16fd-5169-920b-37b1d0df07fe	h1	p1	{"n": 1}
01a22f96-4e6e-7795-86c6-b349740262d1	gig	\N	1	1	\N	\N	\N	\N	cancelled	3	2026-12-01 03:11:49.35825+00	2026-12-01 04:11:49.35825+00	2026-12-01 03:11:49.358313+00	2026-12-01 03:11:49.371661+00	k5	eaf54912-474f-53d7-b832-7167b5001cd3	h0	p5	{"n": 5}
01a22f96-4e94-73b0-9989-7f8479b9cfb6	hall	\N	1	2	{"stalls 1A","stalls 1B"}	\N	\N	\N	held	1	2026-12-01 03:11:49.39385+00	2026-12-01 04:11:49.39385+00	\N	\N	\N	\N	\N	\N	\N
01a22f96-4ea8-713d-bba8-2b7fedfd990f	hall	01a22f96-4ea9-7754-ab68-267ff1c551a5	1	2	{"stalls 3A","stalls 3B"}	\N	\N	\N	held	1	2026-12-01 03:11:49.413166+00	2026-12-01 04:11:49.413166+00	\N	\N	basket	309313f4-7111-5d0f-9774-7396184153dd	b	\N	\N
01a22f96-4ea9-7754-ab68-267ec19c5012	gig	01a22f96-4ea9-7754-ab68-267ff1c551a5	2	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.413166+00	2026-12-01 04:11:49.413166+00	\N	\N	basket	309313f4-7111-5d0f-9774-7396184153dd	b	\N	\N
01a22f96-4eda-73ea-8217-08d300f0be01	room	\N	1	1	\N	["2032-06-07 07:00:00+00","2032-06-07 08:00:00+00")	["2032-06-07 07:00:00+00","2032-06-07 08:15:00+00")	t	confirmed	2	2026-12-01 03:11:49.465211+00	2026-12-01 04:11:49.465211+00	2026-12-01 03:11:49.467844+00	\N	first	d76769b7-8605-593a-a415-1fe835120c65	\N	p	\N
01a22f96-4ee6-748b-960c-48b177da3b0a	room	\N	1	1	\N	["2032-06-07 08:15:00+00","2032-06-07 09:00:00+00")	["2032-06-07 08:15:00+00","2032-06-07 09:15:00+00")	t	held	1	2026-12-01 03:11:49.476616+00	2026-12-01 04:11:49.476616+00	\N	\N	\N	\N	\N	\N	\N
01a22f96-4ef2-73a0-9509-f668e73b1526	hotel	\N	1	2	\N	["2032-07-03 12:00:00+00","2032-07-05 09:00:00+00")	["2032-07-03 12:00:00+00","2032-07-05 09:00:00+00")	f	held	1	2026-12-01 03:11:49.488114+00	2026-12-01 04:11:49.488114+00	\N	\N	\N	\N	h	\N	\N
01a22f96-4f00-73ee-b549-fb09b6e30ce4	hotel	\N	1	20	\N	["2032-06-20 12:00:00+00","2032-06-30 09:00:00+00")	["2032-06-20 12:00:00+00","2032-06-30 09:00:00+00")	f	held	1	2026-12-01 03:11:49.500085+00	2026-12-01 04:11:49.500085+00	\N	\N	\N	\N	h	\N	\N
01a22f96-4f0c-7093-a392-614bc320e963	full	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.516694+00	2026-12-01 04:11:49.516694+00	\N	2026-12-01 03:11:49.553364+00	theirs	0e14e288-5b23-5529-b21b-0f1d727af712	\N	\N	\N
01a22f96-4f16-7375-83eb-6b1bf375f313	full	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.555275+00	2026-12-01 04:11:49.555275+00	\N	\N	\N	\N	\N	\N	\N
01a22f96-4f67-7518-9020-8d8df99d1db2	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.607456+00	2026-12-01 04:11:49.607456+00	2026-12-01 03:11:49.607742+00	\N	r1	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p1	\N
01a22f96-4f68-7136-a53c-923f2ff8eb6d	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.60827+00	2026-12-01 04:11:49.60827+00	\N	\N	r2	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f68-7136-a53c-92406eafe3c6	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.608321+00	2026-12-01 04:11:49.608321+00	2026-12-01 03:11:49.608348+00	\N	r3	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p3	\N
01a22f96-4f68-7136-a53c-924104fd9d7c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.608414+00	2026-12-01 04:11:49.608414+00	\N	\N	r4	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f68-7136-a53c-9242fde8ef7e	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.608449+00	2026-12-01 04:11:49.608449+00	2026-12-01 03:11:49.60847+00	\N	r5	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p5	\N
01a22f96-4f68-7136-a53c-9243efd8da9f	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.60852+00	2026-12-01 04:11:49.60852+00	\N	\N	r6	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f68-7136-a53c-924461ede073	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.608554+00	2026-12-01 04:11:49.608554+00	2026-12-01 03:11:49.608594+00	\N	r7	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p7	\N
01a22f96-4f68-7136-a53c-9245d0a825db	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.608638+00	2026-12-01 04:11:49.608638+00	\N	\N	r8	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f68-7136-a53c-92466ae96efe	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.608668+00	2026-12-01 04:11:49.608668+00	2026-12-01 03:11:49.608688+00	\N	r9	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p9	\N
01a22f96-4f68-7136-a53c-92479fed100d	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.608726+00	2026-12-01 04:11:49.608726+00	\N	2026-12-01 03:11:49.609069+00	r10	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f69-707c-affd-b2b77df38f61	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.609292+00	2026-12-01 04:11:49.609292+00	2026-12-01 03:11:49.60932+00	\N	r11	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p11	\N
01a22f96-4f69-707c-affd-b2b8353630b1	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.60937+00	2026-12-01 04:11:49.60937+00	\N	\N	r12	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f69-707c-affd-b2b92e8454e0	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.609409+00	2026-12-01 04:11:49.609409+00	2026-12-01 03:11:49.60943+00	\N	r13	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p13	\N
01a22f96-4f69-707c-affd-b2bab317b582	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.609469+00	2026-12-01 04:11:49.609469+00	\N	\N	r14	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f69-707c-affd-b2bbb8d3c7b1	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.609499+00	2026-12-01 04:11:49.609499+00	2026-12-01 03:11:49.609519+00	\N	r15	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p15	\N
01a22f96-4f69-707c-affd-b2bc22b847e0	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.609563+00	2026-12-01 04:11:49.609563+00	\N	\N	r16	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f69-707c-affd-b2bd15dfd58a	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.609616+00	2026-12-01 04:11:49.609616+00	2026-12-01 03:11:49.609642+00	\N	r17	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p17	\N
01a22f96-4f6a-716d-899f-93719ea710f2	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.610254+00	2026-12-01 04:11:49.610254+00	\N	\N	r18	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-9372adeaaf74	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.61029+00	2026-12-01 04:11:49.61029+00	2026-12-01 03:11:49.61031+00	\N	r19	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p19	\N
01a22f96-4f6a-716d-899f-9373bf805290	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.61035+00	2026-12-01 04:11:49.61035+00	\N	2026-12-01 03:11:49.610406+00	r20	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-9374df676d7a	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610455+00	2026-12-01 04:11:49.610455+00	2026-12-01 03:11:49.610479+00	\N	r21	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p21	\N
01a22f96-4f6a-716d-899f-9375814763c5	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.610522+00	2026-12-01 04:11:49.610522+00	\N	\N	r22	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-9376f43e14c5	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610553+00	2026-12-01 04:11:49.610553+00	2026-12-01 03:11:49.61059+00	\N	r23	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p23	\N
01a22f96-4f6a-716d-899f-9377c01595a6	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.610642+00	2026-12-01 04:11:49.610642+00	\N	\N	r24	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-9378595cf87c	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610674+00	2026-12-01 04:11:49.610674+00	2026-12-01 03:11:49.610698+00	\N	r25	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p25	\N
01a22f96-4f6a-716d-899f-9379f780de9c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.610734+00	2026-12-01 04:11:49.610734+00	\N	\N	r26	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-937a05a04773	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610762+00	2026-12-01 04:11:49.610762+00	2026-12-01 03:11:49.610782+00	\N	r27	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p27	\N
01a22f96-4f6a-716d-899f-937bd8bac577	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.610817+00	2026-12-01 04:11:49.610817+00	\N	\N	r28	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-937ceb730a55	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610844+00	2026-12-01 04:11:49.610844+00	2026-12-01 03:11:49.610863+00	\N	r29	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p29	\N
01a22f96-4f6a-716d-899f-937dc90eedca	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.610898+00	2026-12-01 04:11:49.610898+00	\N	2026-12-01 03:11:49.610942+00	r30	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6a-716d-899f-937ef4bcea02	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.610981+00	2026-12-01 04:11:49.610981+00	2026-12-01 03:11:49.611002+00	\N	r31	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p31	\N
01a22f96-4f6b-7403-b8d2-aee902b58c1b	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611038+00	2026-12-01 04:11:49.611038+00	\N	\N	r32	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aeea3946b649	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611133+00	2026-12-01 04:11:49.611133+00	2026-12-01 03:11:49.611154+00	\N	r33	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p33	\N
01a22f96-4f6b-7403-b8d2-aeebf8c3762c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611198+00	2026-12-01 04:11:49.611198+00	\N	\N	r34	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aeec1950669d	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611226+00	2026-12-01 04:11:49.611226+00	2026-12-01 03:11:49.611254+00	\N	r35	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p35	\N
01a22f96-4f6b-7403-b8d2-aeed2bea1b33	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611304+00	2026-12-01 04:11:49.611304+00	\N	\N	r36	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aeeeef8b446c	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611342+00	2026-12-01 04:11:49.611342+00	2026-12-01 03:11:49.611372+00	\N	r37	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p37	\N
01a22f96-4f6b-7403-b8d2-aeefae380744	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611427+00	2026-12-01 04:11:49.611427+00	\N	\N	r38	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aef06322a0f0	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611459+00	2026-12-01 04:11:49.611459+00	2026-12-01 03:11:49.61148+00	\N	r39	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p39	\N
01a22f96-4f6b-7403-b8d2-aef17a96fa63	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.611533+00	2026-12-01 04:11:49.611533+00	\N	2026-12-01 03:11:49.611592+00	r40	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aef2a68e5e71	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611636+00	2026-12-01 04:11:49.611636+00	2026-12-01 03:11:49.611657+00	\N	r41	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p41	\N
01a22f96-4f6b-7403-b8d2-aef30b7d81e9	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611695+00	2026-12-01 04:11:49.611695+00	\N	\N	r42	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aef4fd1f3a16	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611722+00	2026-12-01 04:11:49.611722+00	2026-12-01 03:11:49.611747+00	\N	r43	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p43	\N
01a22f96-4f6b-7403-b8d2-aef5cdbd6794	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611783+00	2026-12-01 04:11:49.611783+00	\N	\N	r44	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aef60671c52c	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.61181+00	2026-12-01 04:11:49.61181+00	2026-12-01 03:11:49.61183+00	\N	r45	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p45	\N
01a22f96-4f6b-7403-b8d2-aef73da5dffe	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611864+00	2026-12-01 04:11:49.611864+00	\N	\N	r46	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aef843a75937	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611891+00	2026-12-01 04:11:49.611891+00	2026-12-01 03:11:49.61191+00	\N	r47	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p47	\N
01a22f96-4f6b-7403-b8d2-aef9f8c22203	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.611945+00	2026-12-01 04:11:49.611945+00	\N	\N	r48	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f6b-7403-b8d2-aefa2235cccc	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 03:11:49.611971+00	2026-12-01 04:11:49.611971+00	2026-12-01 03:11:49.61199+00	\N	r49	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p49	\N
01a22f96-4f6c-70db-be57-0199137c12a4	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 03:11:49.612024+00	2026-12-01 04:11:49.612024+00	\N	2026-12-01 03:11:49.612065+00	r50	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f96-4f8a-73b2-940f-689dfee8054b	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.641807+00	2026-12-01 03:11:49.642807+00	\N	\N	late	c0fe2179-dd9a-5993-ab20-b5a9074c702c	late	\N	\N
01a22f96-4f8d-70fb-960a-1f48f5cac13c	hotel	\N	1	1	\N	["2033-01-01 12:00:00+00","2033-01-02 12:00:00+00")	["2033-01-01 12:00:00+00","2033-01-02 12:00:00+00")	f	held	1	2026-12-01 03:11:49.644188+00	2026-12-01 03:11:49.645188+00	\N	\N	late	00e7a142-3754-5fde-a7d8-76e69d0c5127	late	\N	\N
01a22f96-4f9d-709f-9cd2-046125605ffd	rush	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 03:11:49.661961+00	2026-12-01 03:11:49.662961+00	\N	\N	late	79ce2293-2a38-5bda-9099-d55f280e569a	\N	\N	\N
\.


--
-- Data for Name: lease_epochs; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.lease_epochs (sole, floor, system_identifier, timeline) FROM stdin;
t	0	7714168033925138632	1
\.


--
-- Data for Name: leases; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.leases (name, slot, holder, token, acquired_at, expires_at, released_at) FROM stdin;
import	1	a	1	2026-12-01 03:11:49.565392+00	2026-12-01 04:11:49.565392+00	\N
workers	1	w1	1	2026-12-01 03:11:49.573695+00	2026-12-01 04:11:49.573695+00	\N
workers	3	w3	3	2026-12-01 03:11:49.574019+00	2026-12-01 04:11:49.574019+00	\N
workers	2	w2	2	2026-12-01 03:11:49.573971+00	2026-12-01 04:11:49.573971+00	2026-12-01 03:11:49.581224+00
\.


--
-- Data for Name: resources; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.resources (name, kind, contention, escrow, capacity, overbooking, taken, version, open, max_per_holder, sections, time_zone, buffer, check_in, check_out, hours, resized, waiting, skip, created_at, metadata) FROM stdin;
hotel	calendar	locked	\N	50	0	0	3	t	30	\N	Europe/Berlin	00:00:00	14:00:00	11:00:00	\N	t	0	f	2026-12-01 03:11:49.430962+00	\N
hall	seats	locked	\N	15	0	0	2	t	\N	{stalls}	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 03:11:49.382339+00	\N
room	calendar	locked	\N	1	0	0	2	t	\N	\N	Europe/Berlin	00:15:00	15:00:00	11:00:00	{"mon 09:00-12:00","mon 13:00-17:00"}	f	0	f	2026-12-01 03:11:49.430356+00	\N
full	pool	locked	\N	1	0	1	4	t	\N	\N	\N	\N	\N	\N	\N	\N	1	f	2026-12-01 03:11:49.513493+00	\N
rush	pool	escrow	01a22f96-4f5c-71b2-8082-08a25a46d698	1000	0	0	1	t	\N	\N	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 03:11:49.59642+00	\N
gig	pool	locked	\N	50	5	15	30	t	9	\N	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 03:11:49.34276+00	{"a": 1}
\.


--
-- Data for Name: seats; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.seats (resource, label, section, "row", "position", rank, middle, hold_id, blocked) FROM stdin;
hall	stalls 1C	stalls	1	4	0	6	\N	f
hall	stalls 1D	stalls	1	5	0	6	\N	f
hall	stalls 2A	stalls	2	1	1	6	\N	f
hall	stalls 2B	stalls	2	2	1	6	\N	f
hall	stalls 2C	stalls	2	4	1	6	\N	f
hall	stalls 2D	stalls	2	5	1	6	\N	f
hall	stalls 3C	stalls	3	4	2	6	\N	f
hall	stalls 3D	stalls	3	5	2	6	\N	f
hall	stalls 4B	stalls	4	2	3	6	\N	f
hall	stalls 4C	stalls	4	4	3	6	\N	f
hall	stalls 4D	stalls	4	5	3	6	\N	f
hall	stalls 1A	stalls	1	1	0	6	01a22f96-4e94-73b0-9989-7f8479b9cfb6	f
hall	stalls 1B	stalls	1	2	0	6	01a22f96-4e94-73b0-9989-7f8479b9cfb6	f
hall	stalls 4A	stalls	4	1	3	6	\N	t
hall	stalls 3A	stalls	3	1	2	6	01a22f96-4ea8-713d-bba8-2b7fedfd990f	f
hall	stalls 3B	stalls	3	2	2	6	01a22f96-4ea8-713d-bba8-2b7fedfd990f	f
\.


--
-- Data for Name: waitlist_entries; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.waitlist_entries (id, resource, "position", quantity, seats, during, holder, offer_ttl, key, fingerprint, state, joined_at, ended_at, metadata) FROM stdin;
01a22f96-4f24-7723-85e3-d4752c47df4a	full	2	1	\N	\N	\N	01:00:00	second	0e14e288-5b23-5529-b21b-0f1d727af712	waiting	2026-12-01 03:11:49.540594+00	\N	\N
01a22f96-4f16-7375-83eb-6b1bf375f313	full	1	1	\N	\N	\N	01:00:00	first	0e14e288-5b23-5529-b21b-0f1d727af712	offered	2026-12-01 03:11:49.526538+00	2026-12-01 03:11:49.555275+00	\N
\.


--
-- Name: SCHEMA booking; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA booking TO app;


--
-- Name: FUNCTION acquire_lease(name text, holder text, ttl interval, wait boolean, slots integer); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.acquire_lease(name text, holder text, ttl interval, wait boolean, slots integer) TO app;


--
-- Name: FUNCTION availability(resource text, during tstzrange); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.availability(resource text, during tstzrange) TO app;


--
-- Name: FUNCTION calendar(resource text, during tstzrange, step interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.calendar(resource text, during tstzrange, step interval) TO app;


--
-- Name: FUNCTION calendar_map(resource text, month date); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.calendar_map(resource text, month date) TO app;


--
-- Name: FUNCTION cancel(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.cancel(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION check_lease(name text, token bigint); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.check_lease(name text, token bigint) TO app;


--
-- Name: FUNCTION confirm(hold_id uuid, reference text, expected_version bigint, late text, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.confirm(hold_id uuid, reference text, expected_version bigint, late text, resource text) TO app;


--
-- Name: FUNCTION extend(hold_id uuid, ttl interval, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.extend(hold_id uuid, ttl interval, expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION find(hold_id uuid, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.find(hold_id uuid, resource text) TO app;


--
-- Name: FUNCTION free_slots(resource text, during tstzrange, duration interval, step interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.free_slots(resource text, during tstzrange, duration interval, step interval) TO app;


--
-- Name: FUNCTION hold(resource text, quantity bigint, ttl interval, seats text[], during tstzrange, key text, holder text, expected_version bigint, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold(resource text, quantity bigint, ttl interval, seats text[], during tstzrange, key text, holder text, expected_version bigint, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_all(items jsonb, ttl interval, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_all(items jsonb, ttl interval, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_best(resource text, quantity bigint, ttl interval, section text, together boolean, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_best(resource text, quantity bigint, ttl interval, section text, together boolean, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_each(requests jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_each(requests jsonb) TO app;


--
-- Name: FUNCTION hold_nights(resource text, check_in date, check_out date, quantity bigint, ttl interval, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_nights(resource text, check_in date, check_out date, quantity bigint, ttl interval, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION join_waitlist(resource text, quantity bigint, holder text, offer_ttl interval, key text, seats text[], during tstzrange, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.join_waitlist(resource text, quantity bigint, holder text, offer_ttl interval, key text, seats text[], during tstzrange, metadata jsonb) TO app;


--
-- Name: FUNCTION leave_waitlist(id uuid); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.leave_waitlist(id uuid) TO app;


--
-- Name: FUNCTION release(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.release(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION release_lease(name text, token bigint); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.release_lease(name text, token bigint) TO app;


--
-- Name: FUNCTION renew_lease(name text, token bigint, ttl interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.renew_lease(name text, token bigint, ttl interval) TO app;


--
-- Name: FUNCTION require(result booking.result); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.require(result booking.result) TO app;


--
-- Name: FUNCTION reschedule(hold_id uuid, during tstzrange, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.reschedule(hold_id uuid, during tstzrange, expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION seat_map(resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.seat_map(resource text) TO app;


--
-- Name: FUNCTION swap_seats(hold_id uuid, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.swap_seats(hold_id uuid, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION transfer(hold_id uuid, holder text, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.transfer(hold_id uuid, holder text, expected_version bigint, resource text) TO app;


--
-- PostgreSQL database dump complete
--


